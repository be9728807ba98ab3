import type { EcosystemId } from '../core/ecosystem-ids.ts';

export interface Preset {
  readonly path: string;
  readonly ecosystem: EcosystemId;
  /** The public index of the ecosystem, without a trailing slash. */
  readonly url: string;
}

/** Mounts that need nothing from this host: a public index that everyone means. */
export const presets: readonly Preset[] = [
  { path: '/pypi', ecosystem: 'pypi', url: 'https://pypi.org' },
  { path: '/cargo', ecosystem: 'cargo', url: 'https://index.crates.io' },
  { path: '/go', ecosystem: 'go', url: 'https://proxy.golang.org' },
  { path: '/maven', ecosystem: 'maven', url: 'https://repo.maven.apache.org/maven2' },
  { path: '/gems', ecosystem: 'gems', url: 'https://rubygems.org' },
  { path: '/v2', ecosystem: 'oci', url: 'https://registry-1.docker.io/v2' },
  { path: '/composer', ecosystem: 'composer', url: 'https://repo.packagist.org' },
  { path: '/nuget', ecosystem: 'nuget', url: 'https://api.nuget.org' },
  { path: '/hex', ecosystem: 'hex', url: 'https://repo.hex.pm' },
  { path: '/conda', ecosystem: 'conda', url: 'https://conda.anaconda.org' },
  { path: '/hf', ecosystem: 'huggingface', url: 'https://huggingface.co' },
  { path: '/github', ecosystem: 'github', url: 'https://github.com' },
  { path: '/ubuntu', ecosystem: 'apt', url: 'http://archive.ubuntu.com/ubuntu' },
  { path: '/fedora', ecosystem: 'rpm', url: 'https://dl.fedoraproject.org/pub/fedora/linux' },
  { path: '/alpine', ecosystem: 'apk', url: 'https://dl-cdn.alpinelinux.org/alpine' },
  { path: '/archlinux', ecosystem: 'pacman', url: 'https://geo.mirror.pkgbuild.com' },
];
