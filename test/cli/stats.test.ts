import { expect, test } from 'vitest';
import { run } from '../../src/cli/program.ts';
import { statsText } from '../../src/cli/stats-text.ts';
import { testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { FakeProcess } from './support.ts';

async function stats(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const fake = new FakeProcess();
  const code = await run(['stats', ...args], fake.io({ env, cwd: '/' }));
  return { code, stdout: fake.stdout.text, stderr: fake.stderr.text };
}

async function usedGateway(config = {}) {
  const origin = await httpOrigin();
  origin.serve('/x', { body: 'text', headers: { 'Cache-Control': 'max-age=60' } });
  const gateway = await testGateway({ config, mounts: [{ path: '/files', url: origin.url }] });
  await gateway.get('/files/x');
  return { origin, gateway };
}

test('the figures of a gateway, for people', async () => {
  const { origin, gateway } = await usedGateway();
  const { code, stdout } = await stats(['--url', gateway.adminUrl]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Millrace \S+ at http:\/\/127\.0\.0\.1:\d+, up 0:0\d\n/);
  expect(stdout).toMatch(/^Requests +1: miss 1$/m);
  expect(stdout).toMatch(/^Bytes +4 B to clients, 4 B from upstreams, 0 B saved$/m);
  expect(stdout).toMatch(/^generic +index +1 +1 +4 B$/m);
  expect(stdout).toMatch(/^memory +\d+ +/m);
  expect(stdout).toContain(`\n${origin.url}  good `);
});

test('--json: the documents as they are', async () => {
  const { gateway } = await usedGateway();
  const { code, stdout } = await stats(['--json', '--url', `${gateway.adminUrl}/`]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    stats: { traffic: { requests: { total: 1 } } },
    mirrors: { mirrors: [{ requests: 1 }] },
    fills: { active: 0 },
  });
});

test('the admin token is that of the configuration', async () => {
  const token = 'a-long-enough-token-for-a-test';
  const admin = { host: '127.0.0.1', port: 0, token };
  const { gateway } = await usedGateway({ admin });
  const denied = await stats(['--url', gateway.adminUrl]);
  expect(denied.code).toBe(4);
  expect(denied.stderr).toContain('wants the admin token: set `admin.token`');
  const env = { MILLRACE_ADMIN_TOKEN: token };
  expect((await stats(['--url', gateway.adminUrl], env)).code).toBe(0);
});

test('where no gateway answers it says at which address', async () => {
  const gone = await httpOrigin();
  await gone.close();
  const env = { MILLRACE_ADMIN_PORT: String(gone.port) };
  const { code, stderr } = await stats([], env);
  expect(code).toBe(3);
  expect(stderr).toMatch(
    new RegExp(
      `^millrace: no gateway answers at http://127.0.0.1:${gone.port}/api/stats \\(.+\\): start it with millrace serve, or .+ --url\\n$`,
    ),
  );
});

test('what answers something else is none, and what is no URL is refused', async () => {
  const other = await httpOrigin();
  expect(await stats(['--url', other.url])).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('answered 404: is it the admin side of a gateway?'),
  });
  expect((await stats(['--url', 'admin'])).code).toBe(2);
});

test('a document of another kind has dashes, and names do not speak to the terminal', () => {
  const text = statsText({
    stats: { version: 'v\u001b[2J', tiers: [{}] },
    mirrors: 3,
    fills: null,
  });
  expect(text).toContain('Millrace v at –, up –\n');
  expect(text).not.toContain('\u001b');
});
