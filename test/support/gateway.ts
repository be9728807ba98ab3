import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { onTestFinished } from 'vitest';
import type { CachingConfig, Config, MountConfig } from '../../src/config/config.ts';
import { createGateway, type Gateway, type GatewayIo } from '../../src/gateway.ts';
import { Client, type ClientOptions, type ClientResponse } from './client.ts';
import { processProbe } from './process-probe.ts';

/** A gateway on free ports of loopback, with its log and a client. */
export interface TestGateway {
  readonly url: string;
  readonly adminUrl: string;
  /** Of the HTTPS listener, where there is one. */
  readonly secureUrl?: string;
  readonly gateway: Gateway;
  readonly client: Client;
  readonly config: Config;
  /** Lines of the log so far, parsed. */
  log(): Record<string, unknown>[];
  /** Sends a request to a path below a mount, or an absolute URL through the proxy. */
  get(target: string, options?: ClientOptions): Promise<ClientResponse>;
  /** The admin side's JSON. */
  admin(path: string, method?: string): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

export interface TestGatewayOptions {
  readonly config?: Partial<Omit<Config, 'forwardProxy' | 'listen'>> & {
    readonly listen?: Partial<Config['listen']>;
    readonly forwardProxy?: Partial<Config['forwardProxy']>;
  };
  readonly mounts?: readonly (Partial<MountConfig> & { path: string; url: string })[];
  readonly now?: () => number;
  readonly probe?: GatewayIo['probe'];
}

const mebibyte = 2 ** 20;

/** The defaults. */
const caching: CachingConfig = {
  negativeTtl: 10_000,
  staleIfError: 86_400_000,
  staleOnDisconnect: true,
  cacheControlFields: ['millrace-cache-control', 'cdn-cache-control'],
  storeSetCookie: 'explicit',
  storeServerErrors: true,
};

/** A gateway of the running test, with its data in a folder that goes with it. */
export async function testGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const data = options.config?.data ?? (await temporaryFolder());
  const base = baseConfig(data);
  const config: Config = {
    ...base,
    ...options.config,
    listen: { ...base.listen, ...options.config?.listen },
    forwardProxy: { ...base.forwardProxy, ...options.config?.forwardProxy },
    mounts: mountsOf(options),
  };
  const lines: string[] = [];
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const gateway = await createGateway(config, {
    stdout,
    isTerminal: false,
    probe: options.probe ?? processProbe,
    version: '0.0.0-test',
    nodeVersion: process.version,
    ...(options.now && { now: options.now }),
  });
  const { url, adminUrl, secureUrl } = await gateway.listen();
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= gateway.close();
    return closed;
  };
  const client = new Client();
  onTestFinished(close);
  return {
    url,
    adminUrl,
    ...(secureUrl !== undefined && { secureUrl }),
    gateway,
    client,
    config,
    close,
    log: () =>
      lines
        .join('')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    get: (target, sent) =>
      target.startsWith('/')
        ? client.send(`${url}${target}`, sent)
        : client.send(target, { ...sent, proxy: url }),
    admin: async (path, method = 'GET') => {
      const response = await client.send(`${adminUrl}${path}`, { method });
      return JSON.parse(response.body.toString()) as Record<string, unknown>;
    },
  };
}

/** A folder that is removed when the test is finished, after what was registered later. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function mountsOf({ mounts = [] }: TestGatewayOptions): readonly MountConfig[] {
  return mounts.map(({ url, ...mount }) => ({
    ecosystem: 'generic',
    upstreams: [{ url }],
    ...caching,
    defaultTtl: undefined,
    redirects: 'forward',
    indexes: 'equal',
    hosts: [],
    tarballs: 'auto',
    ...mount,
  }));
}

function baseConfig(data: string): Config {
  return {
    listen: {
      host: '127.0.0.1',
      port: 0,
      tls: { port: undefined, certificate: undefined, key: undefined, names: [] },
    },
    admin: { host: '127.0.0.1', port: 0, token: undefined, debug: false },
    publicUrl: undefined,
    trustedProxies: [],
    data,
    memory: 16 * mebibyte,
    memoryLimit: undefined,
    disk: 256 * mebibyte,
    logLevel: 'info',
    accessLog: true,
    logFormat: 'json',
    fastPath: true,
    ...caching,
    debugToken: undefined,
    timeouts: { connect: 5_000, firstByte: 10_000, idle: 10_000, floor: 2_000 },
    upstreamHttp2: true,
    region: undefined,
    limits: { concurrency: undefined, ecosystems: [], connections: 1, bandwidth: undefined },
    mirrorPresets: [],
    presetMirrors: [],
    mirrors: [],
    shutdownGrace: 5_000,
    forwardProxy: {
      allow: ['127.0.0.1'],
      tunnelPorts: [443],
      intercept: undefined,
      tunnelIdle: 60_000,
    },
    mounts: [],
    npmCanonicalRegistry: 'https://registry.test',
    aptHosts: [],
  };
}
