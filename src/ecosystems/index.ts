import { originOf } from '../core/canonical-url.ts';
import type { ClassifyRequest } from '../core/classification.ts';
import { type EcosystemId, ecosystemIds } from '../core/ecosystem-ids.ts';
import { apk } from './apk.ts';
import { createApt } from './apt.ts';
import { createCargo } from './cargo.ts';
import { createComposer } from './composer.ts';
import { conda } from './conda.ts';
import type { Ecosystem } from './ecosystem.ts';
import { createFetch } from './fetch.ts';
import { gems } from './gems.ts';
import { generic } from './generic.ts';
import { createGithub } from './github.ts';
import { go } from './go.ts';
import { createHelm } from './helm.ts';
import { hex } from './hex.ts';
import { huggingface } from './huggingface.ts';
import { maven } from './maven.ts';
import { createNpm, type TarballMode } from './npm.ts';
import { createNuget } from './nuget.ts';
import { createOci } from './oci.ts';
import { pacman } from './pacman.ts';
import { createPypi } from './pypi.ts';
import { rpm } from './rpm.ts';
import { createTerraform } from './terraform.ts';

/** All that any ecosystem may want to know; a mount's own settings where it has some. */
export interface EcosystemOptions {
  /** The public registry that npm itself has built in; absolute URL. */
  readonly canonicalRegistry: string;
  readonly tarballs: TarballMode;
  /** Other hosts whose files are fetched through the mount. */
  readonly hosts: readonly string[];
  /** Whether the gateway has credentials of its own for the mount's upstream. */
  readonly authorized: boolean;
  /** Hosts that are known to hold apt repositories, for the forward proxy. */
  readonly aptHosts: readonly string[];
}

/** The ecosystem of a mount. */
export function createEcosystem(id: EcosystemId, options: EcosystemOptions): Ecosystem {
  switch (id) {
    case 'npm':
      return createNpm(options);
    case 'pypi':
      return createPypi(options);
    case 'cargo':
      return createCargo(options);
    case 'go':
      return go;
    case 'maven':
      return maven;
    case 'gems':
      return gems;
    case 'oci':
      return createOci(options);
    case 'composer':
      return createComposer(options);
    case 'nuget':
      return createNuget(options);
    case 'helm':
      return createHelm(options);
    case 'terraform':
      return createTerraform(options);
    case 'hex':
      return hex;
    case 'conda':
      return conda;
    case 'huggingface':
      return huggingface;
    case 'github':
      return createGithub(options);
    case 'fetch':
      return createFetch(options);
    case 'apt':
      return createApt({ hosts: options.aptHosts });
    case 'rpm':
      return rpm;
    case 'apk':
      return apk;
    case 'pacman':
      return pacman;
    case 'generic':
      return generic;
  }
}

/** The ecosystems that a forward-proxy request outside every mount may belong to, in order. */
export function createEcosystems(options: EcosystemOptions): readonly Ecosystem[] {
  return ecosystemIds.map((id) => createEcosystem(id, options));
}

/**
 * The ecosystem of a forward-proxy request outside every mount: the one that knows the host, else the
 * first that recognises the request, else plain HTTP.
 */
export function chooseEcosystem(
  ecosystems: readonly Ecosystem[],
  request: ClassifyRequest,
): Ecosystem {
  const authority = originOf(request.url).replace(/^https?:\/\//, '');
  return (
    ecosystems.find((ecosystem) => ecosystem.hosts.includes(authority)) ??
    ecosystems.find((ecosystem) => ecosystem.recognises?.(request) === true) ??
    generic
  );
}
