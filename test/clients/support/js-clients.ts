import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where `.ci/run` installs them: `npm install --prefix test/clients/js-tools`. */
const tools = fileURLToPath(new URL('../js-tools/node_modules/', import.meta.url));

/** How a client is told of a registry. */
export interface Reach {
  /** The registry's URL without a trailing slash. */
  readonly registry: string;
  /** The URL of a proxy for all that is not the host itself. */
  readonly proxy?: string;
  /** A file with an authority to trust; false: any certificate will do. */
  readonly cafile?: string | false;
}

/** A package manager of JavaScript, as its users run it. */
export interface JsClient {
  readonly id: string;
  /** Its program, which the Node of the tests runs. */
  readonly program: string;
  readonly lockfile: string;
  /** Resolves what the project asks for, and writes the lockfile. */
  readonly install: readonly string[];
  /** Installs what the lockfile says, and fails where that does not do. */
  readonly installLocked: readonly string[];
  /** Whether the lockfile names hosts. */
  readonly namesHosts: boolean;
  /** Whether it asks a proxy for a tunnel where the registry is on plain http, too. */
  readonly tunnelsAlways: boolean;
  /** Its configuration: files of the project by their names. `home` is an empty folder of the user's. */
  configure(reach: Reach, home: string): Readonly<Record<string, string>>;
}

const pnpm = {
  lockfile: 'pnpm-lock.yaml',
  install: ['install', '--no-frozen-lockfile'],
  installLocked: ['install', '--frozen-lockfile'],
  namesHosts: false,
  tunnelsAlways: false,
  configure({ registry, proxy, cafile }: Reach, home: string) {
    const npmrc = [
      `registry=${registry}/`,
      ...(proxy === undefined ? [] : [`proxy=${proxy}`, `https-proxy=${proxy}`]),
      ...(cafile ? [`cafile=${cafile}`] : []),
      ...(cafile === false ? ['strict-ssl=false'] : []),
    ];
    const settings = {
      packages: ['.'],
      fetchRetries: 0,
      storeDir: `${home}/store`,
      cacheDir: `${home}/cache`,
      updateNotifier: false,
    };
    return {
      '.npmrc': `${npmrc.join('\n')}\n`,
      // JSON is YAML too.
      'pnpm-workspace.yaml': JSON.stringify(settings),
    };
  },
} as const;

const pnpm12: JsClient = { ...pnpm, id: 'pnpm 12', program: `${tools}pnpm/bin/pnpm.mjs` };
const pnpm10: JsClient = { ...pnpm, id: 'pnpm 10', program: `${tools}pnpm-10/bin/pnpm.cjs` };

const yarnClassic: JsClient = {
  id: 'yarn 1',
  program: `${tools}yarn/bin/yarn.js`,
  lockfile: 'yarn.lock',
  install: ['install', '--non-interactive'],
  installLocked: ['install', '--non-interactive', '--frozen-lockfile'],
  namesHosts: true,
  tunnelsAlways: false,
  configure({ registry, proxy, cafile }, home) {
    const lines = [
      `registry "${registry}"`,
      `cache-folder "${home}/cache"`,
      ...(proxy === undefined ? [] : [`proxy "${proxy}"`, `https-proxy "${proxy}"`]),
      ...(cafile ? [`cafile "${cafile}"`] : []),
      ...(cafile === false ? ['strict-ssl false'] : []),
      'disable-self-update-check true',
    ];
    return { '.yarnrc': `${lines.join('\n')}\n` };
  },
};

const yarnBerry: JsClient = {
  id: 'yarn 4',
  program: `${tools}@yarnpkg/cli-dist/bin/yarn.js`,
  lockfile: 'yarn.lock',
  install: ['install', '--no-immutable'],
  installLocked: ['install', '--immutable'],
  namesHosts: false,
  tunnelsAlways: true,
  configure({ registry, proxy, cafile }, home) {
    const settings = {
      npmRegistryServer: registry,
      unsafeHttpWhitelist: ['127.0.0.1'],
      ...(proxy !== undefined && { httpProxy: proxy, httpsProxy: proxy }),
      ...(cafile && { httpsCaFilePath: cafile }),
      ...(cafile === false && { enableStrictSsl: false }),
      nodeLinker: 'node-modules',
      globalFolder: `${home}/yarn`,
      enableTelemetry: false,
      httpRetry: 0,
    };
    return { '.yarnrc.yml': JSON.stringify(settings) };
  },
};

export const jsClients: readonly JsClient[] = [pnpm12, pnpm10, yarnClassic, yarnBerry];

export const corepackProgram = `${tools}corepack/dist/corepack.js`;

/** Whether tests that need these tools are to be skipped, visibly. On CI never: absent is a failure. */
export function skipWithoutJsTools(): boolean {
  const programs = [...jsClients.map(({ program }) => program), corepackProgram];
  return process.env.CI === undefined && !programs.every((program) => existsSync(program));
}
