import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { serve } from '../../src/cli/serve.ts';
import type { Config } from '../../src/config/config.ts';
import type { Gateway } from '../../src/gateway.ts';
import { folderWith } from '../config/support.ts';
import { until } from '../support/until.ts';
import { FakeLog, FakeProcess } from './support.ts';

/** A gateway that notes what is asked of it; `finishClosing` lets `close` end. */
class FakeGateway implements Gateway {
  readonly log = new FakeLog();
  readonly reloads: Config[] = [];
  closings = 0;
  listens = 0;
  readonly #closed = Promise.withResolvers<void>();
  readonly #listenError: Error | undefined;

  constructor(listenError?: Error) {
    this.#listenError = listenError;
  }
  async listen(): Promise<{ url: string; adminUrl: string }> {
    this.listens += 1;
    if (this.#listenError) throw this.#listenError;
    return { url: 'http://127.0.0.1:8080', adminUrl: 'http://127.0.0.1:8081' };
  }
  async reload(config: Config): Promise<readonly string[]> {
    this.reloads.push(config);
    return ['listen.port'];
  }
  close(): Promise<void> {
    this.closings += 1;
    return this.#listenError ? Promise.resolve() : this.#closed.promise;
  }
  finishClosing(error?: Error): void {
    if (error) this.#closed.reject(error);
    else this.#closed.resolve();
  }
}

const announced = (gateway: FakeGateway): Promise<void> =>
  until(() => gateway.listens === 1, 'the gateway listens');

test('SIGTERM closes the gateway in order and the code is 0', async () => {
  const gateway = new FakeGateway();
  const host = new FakeProcess();
  const code = serve({ flags: {} }, host.io(), async () => gateway);
  await announced(gateway);
  host.signal('SIGTERM');
  expect(gateway.closings).toBe(1);
  gateway.finishClosing();
  expect(await code).toBe(0);
  expect(host.exits).toEqual([]);
});

test('a second signal ends the process at once', async () => {
  const gateway = new FakeGateway();
  const host = new FakeProcess();
  const code = serve({ flags: {} }, host.io(), async () => gateway);
  await announced(gateway);
  host.signal('SIGTERM');
  host.signal('SIGINT');
  expect(host.exits).toEqual([130]);
  expect(gateway.closings).toBe(1);
  gateway.finishClosing();
  await code;
});

test('a close that fails is logged and the code is 1', async () => {
  const gateway = new FakeGateway();
  const host = new FakeProcess();
  const code = serve({ flags: {} }, host.io(), async () => gateway);
  await announced(gateway);
  host.signal('SIGINT');
  gateway.finishClosing(new Error('disk'));
  expect(await code).toBe(1);
  expect(gateway.log.lines.at(-1)).toMatchObject({ level: 'error', message: 'closing failed' });
});

test('SIGHUP loads the file anew; a bad one is logged with all problems and changes nothing', async () => {
  const cwd = await folderWith('logLevel: warn\n');
  const gateway = new FakeGateway();
  const host = new FakeProcess();
  const code = serve({ file: 'millrace.yaml', flags: {} }, host.io({ cwd }), async () => gateway);
  await announced(gateway);

  await writeFile(join(cwd, 'millrace.yaml'), 'logLevel: debug\n');
  host.signal('SIGHUP');
  await until(() => gateway.log.lines.length === 1);
  expect(gateway.reloads).toMatchObject([{ logLevel: 'debug' }]);
  expect(gateway.log.lines[0]).toMatchObject({
    level: 'info',
    message: 'configuration reloaded',
    fields: { restartNeeded: ['listen.port'] },
  });

  await writeFile(join(cwd, 'millrace.yaml'), 'logLevel: loud\ndisk: none\n');
  host.signal('SIGHUP');
  await until(() => gateway.log.lines.length === 2);
  expect(gateway.reloads).toHaveLength(1);
  expect(gateway.log.lines[1]).toMatchObject({
    level: 'error',
    message: 'configuration not reloaded: it has problems',
    fields: {
      problems: [
        expect.stringContaining('millrace.yaml:1:11: logLevel:'),
        expect.stringContaining('millrace.yaml:2:7: disk:'),
      ],
    },
  });
  host.signal('SIGTERM');
  gateway.finishClosing();
  expect(await code).toBe(0);
});

test('a bad configuration ends with 2 before anything is opened', async () => {
  const host = new FakeProcess();
  const code = await serve({ flags: { '--port': 'x' } }, host.io(), () => {
    throw new Error('opened');
  });
  expect(code).toBe(2);
  expect(host.stderr.text).toContain('--port: listen.port: "x" is not a port');
  expect(host.stderr.text).toContain('1 problem in the configuration\n');
});

test.each([
  [
    { code: 'EADDRINUSE', address: '127.0.0.1', port: 8080 },
    '127.0.0.1:8080 is in use by another program. End that one, or choose another port with --port or `listen.port`.',
  ],
  [
    { code: 'EADDRINUSE', address: '::1', port: 8081 },
    '[::1]:8081 is in use by another program. End that one, or choose another port with --admin-port or `admin.port`.',
  ],
  [
    { code: 'EACCES', address: '127.0.0.1', port: 80 },
    '127.0.0.1:80 may not be used by this user. Choose a port above 1023 with --port or `listen.port`.',
  ],
  [
    { code: 'EADDRNOTAVAIL', address: '192.0.2.1', port: 8080 },
    '192.0.2.1:8080 is not an address of this host. Choose another with `listen.host`.',
  ],
  [{ cause: new Error('inner') }, 'it could not start: listen failed: inner'],
])(
  'a failure to listen (%o) is explained, closes the gateway and ends with 1',
  async (traits, text) => {
    const host = new FakeProcess();
    const gateway = new FakeGateway(Object.assign(new Error('listen failed'), traits));
    expect(await serve({ flags: {} }, host.io(), async () => gateway)).toBe(1);
    expect(host.stderr.text).toBe(`millrace: ${text}\n`);
    expect(gateway.closings).toBe(1);
  },
);

test('an uncaught error goes into the log', async () => {
  const gateway = new FakeGateway();
  const host = new FakeProcess();
  const code = serve({ flags: {} }, host.io(), async () => gateway);
  await announced(gateway);
  const err = new Error('boom');
  host.crash(err);
  expect(gateway.log.lines).toMatchObject([{ level: 'fatal', fields: { err } }]);
  host.signal('SIGTERM');
  gateway.finishClosing();
  await code;
});

test('on a terminal it says where it listens and how to point tools at it', async () => {
  const gateway = new FakeGateway();
  const host = new FakeProcess();
  const env = { MILLRACE_DATA: '/srv/cache' };
  const code = serve({ flags: {} }, host.io({ env }), async () => gateway);
  await until(() => host.stdout.text !== '');
  // The mounts of public indexes come last.
  expect(host.stdout.text).toMatch(
    /^Millrace 1.2.3 listens on http:\/\/127.0.0.1:8080, admin on http:\/\/127.0.0.1:8081\nData in \/srv\/cache\n {2}\/npm +→ https:\/\/registry.test\n(?: {2}\/[a-z0-9]+ +→ https?:\/\/.+\n)+Point npm at it: {2}npm config set registry http:\/\/127.0.0.1:8080\/npm\/\nPoint apt at it: .+\n$/,
  );
  host.signal('SIGTERM');
  gateway.finishClosing();
  await code;
});

test.each([
  ['off a terminal', { isTerminal: false }],
  ['with logFormat json', { env: { MILLRACE_LOG_FORMAT: 'json' } }],
])('%s it says the same as a log line and writes nothing else', async (_, overrides) => {
  const gateway = new FakeGateway();
  const host = new FakeProcess();
  const code = serve({ flags: {} }, host.io(overrides), async () => gateway);
  await until(() => gateway.log.lines.length === 1);
  expect(host.stdout.text).toBe('');
  expect(gateway.log.lines[0]).toMatchObject({
    message: 'listening',
    fields: {
      url: 'http://127.0.0.1:8080',
      admin: 'http://127.0.0.1:8081',
      data: '/work-folder/data',
      mounts: expect.arrayContaining([{ path: '/npm', upstreams: ['https://registry.test'] }]),
      setup: { npm: 'npm config set registry http://127.0.0.1:8080/npm/' },
    },
  });
  host.signal('SIGTERM');
  gateway.finishClosing();
  await code;
});
