import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { folderWith } from '../config/support.ts';
import { outcome } from './support.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const launcher = fileURLToPath(new URL('../../src/launch.cjs', import.meta.url));

interface Run {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly script?: string;
  readonly nodeFlags?: readonly string[];
}

function start(args: readonly string[], { cwd, env, script, nodeFlags }: Run) {
  const child = spawn(process.execPath, [...(nodeFlags ?? []), script ?? main, ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? '', npm_config_registry: 'http://registry.test/', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

const run = (args: readonly string[], options: Run) => outcome(start(args, options));

describe('config', () => {
  test('check of a good file says so and ends with 0', async () => {
    const cwd = await folderWith('disk: 1GiB\n');
    expect(await run(['config', 'check', 'millrace.yaml'], { cwd })).toEqual({
      code: 0,
      stdout: 'millrace.yaml: ok\n',
      stderr: '',
    });
  });

  test('check of a bad file names every problem and ends with 2', async () => {
    const cwd = await folderWith('disk: 1 apple\nlisten:\n  prt: 1\n');
    const { code, stdout, stderr } = await run(['config', 'check', 'millrace.yaml'], { cwd });
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(/^millrace\.yaml:1:7: disk: "1 apple" is not a byte size; /),
      'millrace.yaml:3:3: listen.prt: there is no such setting; did you mean listen.port?',
      '2 problems in the configuration',
      '',
    ]);
  });

  test('check looks at the file alone', async () => {
    const cwd = await folderWith('disk: 1GiB\n');
    const env = { MILLRACE_LISTN_PORT: '1' };
    expect((await run(['config', 'check', 'millrace.yaml'], { cwd, env })).code).toBe(0);
  });

  test('show prints values and sources of flags, environment and file', async () => {
    const cwd = await folderWith('disk: 1GiB\nadmin: { token: hush }\n');
    const env = { MILLRACE_MEMORY: '64MiB' };
    const args = ['config', 'show', '--config', 'millrace.yaml', '--port', '9000'];
    const { code, stdout } = await run(args, { cwd, env });
    expect(code).toBe(0);
    expect(stdout).toContain('port: 9000 # from --port\n');
    expect(stdout).toContain('memory: 64MiB # from MILLRACE_MEMORY\n');
    expect(stdout).toContain('disk: 1GiB # from millrace.yaml:1\n');
    expect(stdout).toContain('token: "[redacted]" # from millrace.yaml:2\n');
    expect(stdout).toContain('- url: http://registry.test\n');
  });

  test('show --json gives the same to programs', async () => {
    const cwd = await folderWith('disk: 1GiB\n');
    const env = { MILLRACE_CONFIG: 'millrace.yaml' };
    const { stdout } = await run(['config', 'show', '--json'], { cwd, env });
    expect(JSON.parse(stdout)).toMatchObject({
      config: { disk: '1GiB', listen: { port: 8080 } },
      sources: { disk: 'millrace.yaml:1', 'listen.port': 'default' },
    });
  });

  test('show of what cannot be used ends with 2', async () => {
    const cwd = await folderWith('');
    const { code, stderr } = await run(['config', 'show', '--port', 'x'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain('--port: listen.port: "x" is not a port');
  });

  test('schema prints a JSON Schema', async () => {
    const { code, stdout } = await run(['config', 'schema'], { cwd: await folderWith('') });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ type: 'object', additionalProperties: false });
  });
});

test('--version and --help end with 0', async () => {
  const cwd = await folderWith('');
  expect(await run(['--version'], { cwd })).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  });
  const help = await run(['serve', '--help'], { cwd });
  expect(help.code).toBe(0);
  for (const flag of ['--config', '--host', '--port', '--admin-port', '--data', '--log-level']) {
    expect(help.stdout).toContain(flag);
  }
});

test.each([
  [['srve'], /unknown command 'srve'/],
  [
    ['serve', '--prt', '1'],
    /unknown option '--prt'\n\(Did you mean --port\?\)\n\(see millrace serve --help\)/,
  ],
  [['config', 'check'], /missing required argument 'file'/],
  [[], /Usage: millrace/],
])('a command line that cannot be used (%j) ends with 2 and says why', async (args, expected) => {
  const { code, stderr } = await run(args, { cwd: await folderWith('') });
  expect(code).toBe(2);
  expect(stderr).toMatch(expected);
});

test('the launcher runs the program, and without TypeScript in Node it says what is needed', async () => {
  const cwd = await folderWith('');
  const good = await run(['--version'], { cwd, script: launcher });
  expect(good).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d/), stderr: '' });
  const bad = await run(['--version'], {
    cwd,
    script: launcher,
    nodeFlags: ['--no-experimental-strip-types'],
  });
  expect(bad).toMatchObject({ code: 2, stderr: expect.stringMatching(/^Millrace needs Node >=/) });
});

describe('serve', () => {
  const anyPorts = { MILLRACE_LISTEN_PORT: '0', MILLRACE_ADMIN_PORT: '0' };

  test('says where it listens as a log line, answers there, and ends with 0 on SIGTERM', async () => {
    const cwd = await folderWith('');
    const child = start(['serve'], { cwd, env: anyPorts });
    const ended = outcome(child);
    for await (const line of createInterface({ input: child.stdout })) {
      const { msg, admin } = JSON.parse(line) as { msg?: string; admin?: string };
      if (msg !== 'listening') continue;
      expect((await fetch(`${admin}/healthz`)).status).toBe(200);
      break;
    }
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
  });

  test('does the same in a Node that does not let it ask malloc for memory back', async () => {
    const cwd = await folderWith('');
    const env = { ...anyPorts, MILLRACE_LOG_LEVEL: 'debug' };
    const nodeFlags = ['--no-experimental-ffi'];
    const child = start(['serve'], { cwd, env, nodeFlags });
    const ended = outcome(child);
    const lines: unknown[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      const { msg } = JSON.parse(line) as { msg: string };
      lines.push(msg);
      if (msg === 'listening') break;
    }
    expect(lines).toContain('freed memory goes back to the system when malloc sees fit');
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
  });

  test('writes the profiles that were asked for when it ends, into folders that it makes', async () => {
    const cwd = await folderWith('');
    const child = start(['serve', '--cpu-prof', 'some/where', '--heap-prof'], {
      cwd,
      env: anyPorts,
    });
    const ended = outcome(child);
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.includes('"listening"')) break;
    }
    child.kill('SIGTERM');
    const { code, stderr } = await ended;
    expect(code).toBe(0);
    const [cpu, heap] = stderr.matchAll(/^profile written to (.*)$/gm).map(([, file = '']) => file);
    expect(cpu?.startsWith(join(cwd, 'some', 'where', 'millrace-'))).toBe(true);
    expect(JSON.parse(await readFile(`${cpu}`, 'utf8'))).toMatchObject({
      nodes: expect.anything(),
      samples: expect.anything(),
    });
    expect(heap?.startsWith(join(cwd, 'millrace-'))).toBe(true);
    expect(JSON.parse(await readFile(`${heap}`, 'utf8'))).toMatchObject({
      head: expect.anything(),
    });
  });

  test('on a folder for profiles that cannot be made it says so and does not begin', async () => {
    const cwd = await folderWith('');
    const args = ['serve', '--cpu-prof', 'millrace.yaml/below'];
    const { code, stdout, stderr } = await run(args, { cwd, env: anyPorts });
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^millrace: no profile: /);
  });

  test('on a port in use it names the address, says what to do and ends with 1', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as AddressInfo;
    const cwd = await folderWith('');
    const { code, stderr } = await run(['serve', '--port', String(port)], { cwd, env: anyPorts });
    expect(code).toBe(1);
    expect(stderr).toBe(
      `millrace: 127.0.0.1:${port} is in use by another program. End that one, or choose another port with --port or \`listen.port\`.\n`,
    );
  });

  test('an unhandled rejection is logged as fatal and ends the process with 1', async () => {
    const cwd = await folderWith('');
    // Rejects as soon as the program listens for signals.
    const hook = `process.on('newListener', (name) => {
      if (name === 'SIGHUP') setImmediate(() => Promise.reject(new Error('boom')));
    })`;
    const nodeFlags = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`];
    const { code, stdout } = await run(['serve'], { cwd, env: anyPorts, nodeFlags });
    expect(code).toBe(1);
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
      level: 'fatal',
      msg: 'uncaught error, the process ends',
      err: { message: 'boom' },
    });
  });
});
