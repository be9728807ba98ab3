import type { Ask, GatewayPlace, Place, Trust } from '../../../src/cli/setup/tool.ts';

/** A host whose files are these, by path. */
export function placeOf(
  files: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
  platform = 'linux',
): Place {
  return {
    home: '/home/me',
    folder: '/project',
    root: '/',
    platform,
    env,
    read: (path) => (Object.hasOwn(files, path) ? files[path] : undefined),
    list: (folder) =>
      Object.keys(files)
        .filter((path) => path.startsWith(`${folder}/`))
        .map((path) => path.slice(folder.length + 1)),
  };
}

const mounts: readonly (readonly [string, string, string])[] = [
  ['/npm', 'npm', 'https://registry.test'],
  ['/pypi', 'pypi', 'https://pypi.example.com'],
  ['/cargo', 'cargo', 'https://index.example.com'],
  ['/go', 'go', 'https://proxy.example.com'],
  ['/maven', 'maven', 'https://maven.example.com/maven2'],
  ['/gems', 'gems', 'https://gems.example.com'],
  ['/v2', 'oci', 'https://registry-1.docker.io/v2'],
  ['/v2/ghcr.io', 'oci', 'https://ghcr.io/v2'],
  ['/composer', 'composer', 'https://composer.example.com'],
  ['/nuget', 'nuget', 'https://nuget.example.com'],
  ['/deb', 'apt', 'http://archive.example.org/deb'],
];

export const gateway: GatewayPlace = {
  url: 'http://127.0.0.1:8080',
  proxyUrl: 'http://127.0.0.1:8080',
  mounts: mounts.map(([path, ecosystem, url]) => ({ path, ecosystem, upstreams: [url] })),
};

export const trust: Trust = {
  authority: 'AUTHORITY\n',
  bundle: () => 'PUBLIC\nAUTHORITY\n',
  keystore: () => new Uint8Array([1, 2, 3]),
};

/** By the registry, for the user, where nothing is configured. */
export function asked(change: Partial<Ask> = {}): Ask {
  return { place: placeOf(), gateway, mode: 'registry', scope: 'user', ...change };
}
