import { chown, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { run } from '../../../src/cli/program.ts';
import { tools } from '../../../src/cli/setup/tools.ts';
import { dataWithAuthority } from '../../support/authority.ts';
import { FakeProcess } from '../support.ts';
import { treeOf } from './tree.ts';
import { User, user } from './user.ts';

const hasNo: Readonly<Record<string, readonly string[]>> = { containerd: ['--proxy'] };
const kinds = tools.flatMap(({ id }) =>
  ['--registry', '--proxy']
    .filter((mode) => !hasNo[id]?.includes(mode))
    .map((mode) => [id, mode] as const),
);

/** Something of each file that a setup changes. */
const existing: Readonly<Record<string, string>> = {
  'home/.npmrc': '; mine\r\n//registry.test/:_authToken=secret\r\nregistry = https://x.test',
  'home/.yarnrc': 'lastUpdateCheck 1\n',
  'home/.yarnrc.yml': 'nodeLinker: node-modules # so\n',
  'home/.config/pnpm/rc': 'store-dir=/x\n',
  'home/.config/pip/pip.conf': '[global]\nindex-url =\n    https://x.test\n',
  'home/.config/uv/uv.toml': '# mine\nnative-tls = true\n',
  'home/.config/go/env': 'GOPROXY=https://x.test\n',
  'home/.config/composer/config.json': '{"config": {"a": 1}}',
  'home/.cargo/config.toml': '[source.crates-io]\nreplace-with = "x"\n',
  'home/.m2/settings.xml': '<settings><!-- mine --><mirrors/></settings>',
  'home/.mavenrc': 'umask 022',
  'home/.gradle/gradle.properties': 'org.gradle.daemon=false\n',
  'home/.gemrc': '---\n:sources:\n- https://x.test/\n',
  'home/.bundle/config': '---\nBUNDLE_PATH: "x"\n',
  'home/.nuget/NuGet/NuGet.Config': '<configuration><packageSources/></configuration>',
  'etc/apt/sources.list': 'deb http://archive.example.org/deb stable main\n',
  'etc/apt/apt.conf.d/01millrace': '// of somebody else\n',
  'etc/docker/daemon.json': '{"debug": true}',
  'etc/containerd/certs.d/docker.io/hosts.toml': 'server = "https://x.test"\n',
};

describe('millrace setup, and undo', () => {
  test.each(kinds)('of %s %s leave every file as it was', async (tool, mode) => {
    const one = await user();
    for (const [path, content] of Object.entries(existing)) await one.file(path, content);
    const { data } = await dataWithAuthority();
    const before = await treeOf(one.root);
    await one.setUp(tool, mode, '--data', data);
    expect(await treeOf(one.root)).not.toEqual(before);
    await one.undo(tool);
    expect(await treeOf(one.root)).toEqual(before);
  });

  test.each(kinds)('of %s %s where there is no file leave none', async (tool, mode) => {
    const one = await user();
    if (tool === 'apt') await one.file('etc/apt/sources.list', existing['etc/apt/sources.list']);
    const { data } = await dataWithAuthority();
    const before = await treeOf(one.root);
    await one.setUp(tool, mode, '--data', data);
    expect(await treeOf(one.root)).not.toEqual(before);
    await one.undo(tool);
    expect(await treeOf(one.root)).toEqual(before);
  });

  test('of npm leave any file as it was, whatever it held', async () => {
    const text = fc.array(
      fc.oneof(fc.string(), fc.constantFrom('registry=x', '[s]', '\r\n', '\n', '\ufeff', 'ü', '"')),
    );
    await fc.assert(
      fc.asyncProperty(text, async (parts) => {
        const one = await user();
        const path = await one.file('home/.npmrc', parts.join(''));
        const before = await readFile(path);
        await one.setUp('npm');
        await one.undo('npm');
        expect((await readFile(path)).equals(before)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  test('keep mode and place of a file behind a link', async () => {
    const one = await user();
    const real = await one.file('dotfiles/npmrc', 'fund=false\n', 0o600);
    await symlink('../dotfiles/npmrc', join(one.home, '.npmrc'));
    await symlink('../dotfiles/yarnrc', join(one.home, '.yarnrc'));
    const before = await treeOf(one.root);
    await one.setUp('npm');
    await one.setUp('yarn');
    expect(await readFile(real, 'utf8')).toContain('registry=http://127.0.0.1:9/npm/');
    expect((await stat(real)).mode & 0o777).toBe(0o600);
    expect(await readFile(join(one.root, 'dotfiles/yarnrc'), 'utf8')).toContain('registry ');
    expect((await treeOf(one.root))['home/.npmrc']).toBe('link to ../dotfiles/npmrc');
    await one.undo('npm');
    await one.undo('yarn');
    expect(await treeOf(one.root)).toEqual(before);
  });

  // Only root may give files away.
  test.skipIf(userInfo().uid !== 0)('keep the owner of a file', async () => {
    const one = await user();
    const path = await one.file('home/.npmrc', 'fund=false\n');
    await chown(path, 1234, 2345);
    await one.setUp('npm');
    expect(await stat(path)).toMatchObject({ uid: 1234, gid: 2345 });
    await one.undo('npm');
    expect(await stat(path)).toMatchObject({ uid: 1234, gid: 2345 });
  });

  test('a second setup takes the place of the first, and undo goes back before both', async () => {
    const one = await user();
    const path = await one.file('home/.npmrc', 'fund=false\n');
    const before = await treeOf(one.root);
    const { data } = await dataWithAuthority();
    await one.setUp('npm');
    await one.setUp('npm', '--proxy', '--data', data);
    expect(await readFile(path, 'utf8')).not.toContain('registry=');
    await one.setUp('npm', '--url', 'http://127.0.0.1:7');
    expect(await readFile(path, 'utf8')).toBe('fund=false\nregistry=http://127.0.0.1:7/npm/\n');
    expect(await one.setUp('npm', '--url', 'http://127.0.0.1:7')).toContain('already');
    await one.undo('npm');
    expect(await treeOf(one.root)).toEqual(before);
  });

  test('are told apart by scope and project', async () => {
    const one = await user();
    const before = await treeOf(one.root);
    await one.setUp('npm');
    await one.setUp('npm', '--scope', 'project');
    expect(Object.keys(await treeOf(one.root))).toContain('project/.npmrc');
    await one.undo('npm', '--scope', 'project');
    const tree = Object.keys(await treeOf(one.root));
    expect(tree).toContain('home/.npmrc');
    expect(tree).not.toContain('project/.npmrc');
    await one.setUp('npm', '--scope', 'project');
    const elsewhere = new User(one.root);
    Object.assign(elsewhere, { project: one.home });
    expect(await elsewhere.undo('npm', '--scope', 'project')).toContain(one.project);
    await one.undo('npm');
    expect(await treeOf(one.root)).toEqual(before);
  });
});

describe('a file that was changed since', () => {
  test('is left alone by undo until it is forced', async () => {
    const one = await user();
    const path = await one.file('home/.npmrc', 'fund=false\n');
    await one.setUp('npm');
    await writeFile(path, `${await readFile(path, 'utf8')}audit=false\n`);
    const changed = await treeOf(one.root);
    const { code, stderr } = await one.run('undo', 'npm');
    expect(code).toBe(1);
    expect(stderr).toContain(path);
    expect(stderr).toContain('--force');
    expect(await treeOf(one.root)).toEqual(changed);
    await one.undo('npm', '--force');
    expect(await readFile(path, 'utf8')).toBe('fund=false\n');
  });

  test('keeps the change in a second setup', async () => {
    const one = await user();
    const path = await one.file('home/.npmrc', 'fund=false\n');
    await one.setUp('npm');
    await writeFile(path, `${await readFile(path, 'utf8')}audit=false\n`);
    await one.setUp('npm', '--url', 'http://127.0.0.1:7');
    expect(await readFile(path, 'utf8')).toBe(
      'fund=false\nregistry=http://127.0.0.1:7/npm/\naudit=false\n',
    );
    expect((await one.run('undo', 'npm')).code).toBe(1);
    await one.undo('npm', '--force');
    expect(await readFile(path, 'utf8')).toBe('fund=false\n');
  });

  test('is no obstacle when it was put back already', async () => {
    const one = await user();
    const path = await one.file('home/.npmrc', 'fund=false\n');
    await one.setUp('npm');
    await writeFile(path, 'fund=false\n');
    await one.undo('npm');
    expect(await readFile(path, 'utf8')).toBe('fund=false\n');
  });
});

test.each([[['npm']], [['undo', 'cargo']]])(
  'millrace setup %j --dry-run says what would change, and changes nothing',
  async (args) => {
    const one = await user();
    await one.file('home/.npmrc', '_password=secret\nregistry=https://me:secret@x.test/\n');
    await one.setUp('cargo');
    const before = await treeOf(one.root);
    const { code, stdout } = await one.run(...args, '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}[-+].*http:\/\/127/m);
    expect(stdout).not.toContain('secret');
    expect(await treeOf(one.root)).toEqual(before);
  },
);

test('what was there is kept for its owner alone', async () => {
  const one = await user();
  await one.file('home/.npmrc', '//registry.test/:_authToken=secret\n');
  await one.setUp('npm');
  const folder = join(one.home, '.local/state/millrace/setup');
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(join(folder, 'npm.json'))).mode & 0o777).toBe(0o600);
});

test('a setup that cannot write one of its files writes none', async () => {
  const one = await user();
  await one.file('home/.m2', 'not a folder');
  const { data } = await dataWithAuthority();
  const before = await treeOf(one.root);
  const { code, stderr } = await one.run('maven', '--proxy', '--data', data, '--port', '9');
  expect(code).toBe(1);
  expect(stderr).toContain(join(one.home, '.m2'));
  expect(await treeOf(one.root)).toEqual(before);
});

describe('what cannot be is refused in a sentence', () => {
  test.each([
    [['yran'], 'Did you mean yarn?'],
    [['npm', '--url', 'cache'], '--url cache'],
    [['npm', '--ca', '/nowhere.pem'], '/nowhere.pem'],
    [['npm', '--port', '0'], '--url'],
    [['npm', '--proxy'], 'millrace ca create'],
    [['apt', '--scope', 'project'], 'leave out --scope'],
    [['npm', '--registry', '--proxy'], 'cannot be used with'],
  ])('%j', async (args, said) => {
    const one = await user();
    const before = await treeOf(one.root);
    const { code, stderr } = await one.run(...args);
    expect(code).toBeGreaterThan(0);
    expect(stderr).toContain(said);
    expect(await treeOf(one.root)).toEqual(before);
  });

  test('a file that is not text', async () => {
    const one = await user();
    const path = await one.file('home/.npmrc', new Uint8Array([0x61, 0xff, 0x0a]));
    const { code, stderr } = await one.run('npm', '--port', '9');
    expect(code).toBe(1);
    expect(stderr).toContain(`${path} is not UTF-8`);
  });

  test('an authority that is none', async () => {
    const one = await user();
    const path = await one.file('ca.pem', '-----BEGIN CERTIFICATE-----\nno\n');
    const { code, stderr } = await one.run('npm', '--proxy', '--ca', path);
    expect(code).toBe(1);
    expect(stderr).toContain(`--ca ${path}`);
  });

  test('a journal that somebody wrote into', async () => {
    const one = await user();
    const path = await one.file('home/.local/state/millrace/setup/npm.json', '{"version": 1');
    const { code, stderr } = await one.run('undo', 'npm');
    expect(code).toBe(1);
    expect(stderr).toContain(path);
  });

  test('a system that is not known', async () => {
    const process = new FakeProcess();
    const code = await run(['setup', 'npm', '--port', '9'], process.io({ platform: 'win32' }));
    expect(code).toBe(1);
    expect(process.stderr.text).toContain('docs/setup.md');
  });
});
