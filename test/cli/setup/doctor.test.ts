import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Finding, ToolState } from '../../../src/cli/setup/finding.ts';
import type { Config } from '../../../src/config/config.ts';
import type { EcosystemId } from '../../../src/core/ecosystem-ids.ts';
import { createAuthority } from '../../../src/tls/authority.ts';
import { dataWithAuthority } from '../../support/authority.ts';
import { type TestGateway, temporaryFolder, testGateway } from '../../support/gateway.ts';
import { httpsOrigin } from '../../support/http-origin.ts';
import { selfSigned } from '../../support/tls/self-signed.ts';
import { type User, user } from './user.ts';

interface Report {
  readonly url: string;
  readonly ok: boolean;
  readonly tools: readonly ToolState[];
  readonly findings: readonly Finding[];
}

type Io = Parameters<User['millrace']>[1];

/** The report about what a gateway is asked with, and the exit code. */
async function doctor(one: User, args: readonly string[], io?: Io) {
  const { code, stdout, stderr } = await one.millrace(['doctor', ...args, '--json'], io);
  expect(stderr).toBe('');
  const { ok, findings, tools } = JSON.parse(stdout) as Report;
  expect(code).toBe(ok ? 0 : 1);
  return { ok, tools, findings, codes: findings.map((each) => each.code) };
}

const all: readonly EcosystemId[] = ['npm', 'pypi', 'go', 'maven'];

function gatewayWith(
  ecosystems: readonly EcosystemId[] = all,
  config: Partial<Omit<Config, 'forwardProxy' | 'listen'>> & {
    forwardProxy?: Partial<Config['forwardProxy']>;
    listen?: Partial<Config['listen']>;
  } = {},
  url = 'https://registry.test',
): Promise<TestGateway> {
  const mounts = ecosystems.map((ecosystem) => ({ path: `/${ecosystem}`, ecosystem, url }));
  return testGateway({ mounts, config });
}

/** A server that answers everything with this. */
async function saying(document: unknown, date = new Date()): Promise<string> {
  const server = createServer((_request, response) => {
    response.sendDate = false;
    response.setHeader('Date', date.toUTCString());
    response.end(JSON.stringify(document));
  });
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function millrace(url: string) {
  return { name: 'millrace', url, mounts: [] };
}

describe('millrace doctor of a tool', () => {
  test('has nothing to say when it was set up', async () => {
    const one = await user();
    const { url } = await gatewayWith();
    await one.setUp('npm', '--url', url);
    const { ok, tools, findings } = await doctor(one, ['npm', '--url', url]);
    expect({ ok, findings }).toEqual({ ok: true, findings: [] });
    expect(tools).toEqual([{ tool: 'npm', pointed: true, mode: 'registry', scope: 'user' }]);
    const { stdout } = await one.millrace(['doctor', 'npm', '--url', url]);
    expect(stdout).toBe(`gateway  ✓ ${url}\nnpm      ✓ pointed at it as its registry\n`);
  });

  test('takes what was written by hand for what it is', async () => {
    const one = await user();
    const { url } = await gatewayWith();
    await one.file('home/.npmrc', `registry = "${url}/npm/"\n`);
    expect((await doctor(one, ['npm', '--url', url])).ok).toBe(true);
  });

  test('says what is missing, and the command that mends it', async () => {
    const one = await user();
    const { url } = await gatewayWith();
    const { findings } = await doctor(one, ['npm', '--url', url]);
    expect(findings).toMatchObject([
      {
        code: 'not-pointed',
        message: expect.stringContaining(`\`registry=${url}/npm/\``),
        fix: `millrace setup npm --url ${url}`,
      },
    ]);
    const { stdout } = await one.millrace(['doctor', 'npm', '--url', url]);
    expect(stdout).toContain(`→ millrace setup npm --url ${url}\n`);
  });

  test('notices when somebody has pointed it elsewhere since', async () => {
    const one = await user();
    const { url } = await gatewayWith();
    await one.setUp('npm', '--url', url);
    await writeFile(join(one.home, '.npmrc'), 'registry=https://x.test/\n');
    expect(await doctor(one, ['npm', '--url', url])).toMatchObject({
      codes: ['not-pointed'],
      findings: [{ message: expect.stringContaining('it was pointed at') }],
    });
  });

  test('finds the mount missing', async () => {
    const one = await user();
    const { url } = await gatewayWith(['npm']);
    expect((await doctor(one, ['pip', '--url', url])).codes).toEqual(['no-mount']);
  });

  test('finds a variable that goes before its files', async () => {
    const one = await user();
    const { url } = await gatewayWith();
    await one.setUp('go', '--url', url);
    const env = { GOPROXY: 'https://proxy.example.com' };
    expect(await doctor(one, ['go', '--url', url], { env })).toMatchObject({
      codes: ['environment'],
      findings: [{ fix: 'unset GOPROXY' }],
    });
    expect((await doctor(one, ['go', '--url', url], { env: { GOPROXY: `${url}/go` } })).ok).toBe(
      true,
    );
  });

  test('finds a file that it cannot read', async () => {
    const one = await user();
    const { url } = await gatewayWith();
    const path = await one.file('home/.m2/settings.xml', '<settings>');
    expect(await doctor(one, ['maven', '--url', url])).toMatchObject({
      codes: ['unreadable'],
      findings: [{ message: expect.stringContaining(path) }],
    });
  });

  test('finds variables that are not there yet', async () => {
    const one = await user();
    const { data } = await dataWithAuthority();
    const gateway = await gatewayWith(
      ['go'],
      { data, forwardProxy: { allow: ['localhost'] } },
      'https://localhost:1',
    );
    const { url } = gateway;
    await one.setUp('go', '--proxy', '--url', url, '--data', data);
    const args = ['go', '--url', url, '--data', data];
    expect(await doctor(one, args)).toMatchObject({
      codes: ['not-pointed'],
      findings: [{ message: expect.stringContaining(`HTTP_PROXY=${url}`) }],
    });
    const bundle = join(one.home, '.local/share/millrace/setup/go-ca.pem');
    const env = { http_proxy: url, HTTPS_PROXY: url, SSL_CERT_FILE: bundle };
    expect((await doctor(one, args, { env })).findings).toEqual([]);
  });
});

describe('millrace doctor of all tools', () => {
  test('looks at those on PATH, and at those that were set up', async () => {
    const one = await user();
    const { url } = await gatewayWith();
    const bin = join(one.root, 'bin');
    await mkdir(bin);
    for (const program of ['pip3', 'cargo']) {
      await writeFile(join(bin, program), '');
      await chmod(join(bin, program), program === 'pip3' ? 0o755 : 0o644);
    }
    await one.setUp('npm', '--url', url);
    const { tools, findings, ok } = await doctor(one, ['--url', url], { env: { PATH: bin } });
    expect(tools.map(({ tool, pointed }) => [tool, pointed])).toEqual([
      ['npm', true],
      ['pip', false],
    ]);
    // Nobody said that pip was to use it.
    expect(findings).toMatchObject([{ tool: 'pip', code: 'not-set-up', severity: 'note' }]);
    expect(ok).toBe(true);
  });
});

describe('millrace doctor of the gateway', () => {
  test('finds it unreachable', async () => {
    const one = await user();
    await one.setUp('npm', '--url', 'http://127.0.0.1:9');
    const { codes, findings } = await doctor(one, ['npm', '--url', 'http://127.0.0.1:9']);
    expect(codes).toEqual(['gateway-unreachable']);
    expect(findings[0]?.fix).toContain('millrace serve');
  });

  test.each([[{ name: 'other' }], ['text'], [null]])('finds something else: %j', async (said) => {
    const one = await user();
    const { codes } = await doctor(one, ['--url', await saying(said)]);
    expect(codes).toEqual(['not-a-gateway']);
  });

  test('finds that it calls itself something else', async () => {
    const one = await user();
    const { url } = await gatewayWith(['npm'], { publicUrl: 'https://cache.example.com' });
    const { findings } = await doctor(one, ['--url', url]);
    expect(findings).toMatchObject([
      { code: 'public-url', message: expect.stringContaining('https://cache.example.com') },
    ]);
  });

  test.each([
    [-120_000, ['clock'], '2 minutes behind'],
    [-30_000, [], ''],
    [30_000, [], ''],
    [300_000, ['clock'], '5 minutes ahead'],
  ])('finds a clock that is %i ms off', async (skew, expected, said) => {
    const one = await user();
    const now = Date.UTC(2026, 0, 1);
    let url = '';
    const server = createServer((_request, response) => {
      response.setHeader('Date', new Date(now + skew).toUTCString());
      response.end(JSON.stringify(millrace(url)));
    });
    onTestFinished(() => void server.close());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { codes, findings } = await doctor(one, ['--url', url], { now: () => now });
    expect(codes).toEqual(expected);
    expect(findings[0]?.message ?? '').toContain(said);
  });

  test('finds a proxy between it and tools, unless that is told to leave it alone', async () => {
    const one = await user();
    const { url } = await gatewayWith();
    const env = { http_proxy: 'http://proxy.example.com:3128' };
    const { codes, ok } = await doctor(one, ['--url', url], { env });
    expect({ codes, ok }).toEqual({ codes: ['proxy-between'], ok: true });
    for (const none of ['127.0.0.1', '*', 'x.test, 127.0.0.1']) {
      const exempt = { ...env, NO_PROXY: none };
      expect((await doctor(one, ['--url', url], { env: exempt })).codes).toEqual([]);
    }
  });

  test('finds it degraded, or its admin side not to be had', async () => {
    const one = await user();
    const { url, adminUrl } = await gatewayWith();
    const ports = (admin: string): string[] => [
      ...['--port', new URL(url).port],
      ...['--admin-port', new URL(admin).port],
    ];
    expect((await doctor(one, ports(adminUrl))).codes).toEqual([]);
    const checks = { store: { ok: false, reason: 'the disk is full' }, other: { ok: true } };
    const ill = await saying({ status: 'degraded', checks });
    expect(await doctor(one, ports(ill))).toMatchObject({
      ok: false,
      findings: [{ code: 'degraded', message: 'it is degraded: store: the disk is full' }],
    });
    expect(await doctor(one, ports('http://127.0.0.1:9'))).toMatchObject({
      ok: true,
      codes: ['admin-unreachable'],
    });
  });
});

describe('millrace doctor of certificates', () => {
  const upstream = 'https://localhost:1';

  test.each([['npm'], ['maven']])('is content when %s trusts the authority', async (tool) => {
    const one = await user();
    const { data } = await dataWithAuthority();
    const { url } = await gatewayWith(
      all,
      { data, forwardProxy: { allow: ['localhost'] } },
      upstream,
    );
    await one.setUp(tool, '--proxy', '--url', url, '--data', data);
    const { findings, tools } = await doctor(one, [tool, '--url', url, '--data', data]);
    expect(findings).toEqual([]);
    expect(tools).toMatchObject([{ pointed: true, mode: 'proxy' }]);
  });

  test('finds that a tool trusts another authority', async () => {
    const one = await user();
    const { data } = await dataWithAuthority();
    const { url } = await gatewayWith(
      all,
      { data, forwardProxy: { allow: ['localhost'] } },
      upstream,
    );
    const other = join(await temporaryFolder(), 'other.pem');
    const pems = await createAuthority({ permitted: undefined, now: Date.now() });
    await writeFile(other, pems.certificate);
    await one.setUp('npm', '--proxy', '--url', url, '--ca', other);
    expect(await doctor(one, ['npm', '--url', url])).toMatchObject({
      codes: ['untrusted'],
      findings: [{ fix: `millrace setup npm --proxy --url ${url}` }],
    });
  });

  test('finds a tunnel that goes past the cache', async () => {
    const one = await user();
    const origin = await httpsOrigin();
    const ca = join(await temporaryFolder(), 'ca.pem');
    await writeFile(ca, selfSigned.cert);
    const { url } = await gatewayWith(
      ['npm'],
      { forwardProxy: { allow: ['localhost'], tunnelPorts: [origin.port] } },
      origin.url,
    );
    await one.setUp('npm', '--proxy', '--url', url, '--ca', ca);
    expect(await doctor(one, ['npm', '--url', url])).toMatchObject({
      codes: ['not-intercepted'],
      findings: [{ fix: expect.stringContaining('millrace ca create') }],
    });
  });

  test('finds a tunnel that is refused', async () => {
    const one = await user();
    const { authority } = await dataWithAuthority();
    const ca = join(await temporaryFolder(), 'ca.pem');
    await writeFile(ca, authority.certificate);
    const { url } = await gatewayWith(
      ['npm'],
      { forwardProxy: { allow: [], tunnelPorts: [443] } },
      upstream,
    );
    await one.setUp('npm', '--proxy', '--url', url, '--ca', ca);
    expect((await doctor(one, ['npm', '--url', url])).codes).toEqual(['tunnel-refused']);
  });

  test('finds the certificate of the gateway itself untrusted, by this host and by the tool', async () => {
    const one = await user();
    const { data, authority } = await dataWithAuthority();
    const tls = { port: 0, certificate: undefined, key: undefined, names: [] };
    const gateway = await gatewayWith(all, { data, listen: { tls } });
    const url = gateway.secureUrl ?? '';
    const nobody = await temporaryFolder();
    expect((await doctor(one, ['--url', url, '--data', nobody])).codes).toEqual([
      'gateway-untrusted',
    ]);
    const ca = join(nobody, 'ca.pem');
    await writeFile(ca, authority.certificate);
    await one.setUp('npm', '--url', url, '--ca', ca);
    expect((await doctor(one, ['npm', '--url', url, '--ca', ca])).findings).toEqual([]);
    const bundle = join(one.home, '.local/share/millrace/setup/npm-ca.pem');
    await writeFile(bundle, selfSigned.cert);
    expect((await doctor(one, ['npm', '--url', url, '--ca', ca])).codes).toEqual(['untrusted']);
  });
});
