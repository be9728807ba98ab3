import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import type { CliIo } from '../../../src/cli/io.ts';
import { run } from '../../../src/cli/program.ts';
import { plainHost } from '../../config/support.ts';
import { temporaryFolder } from '../../support/gateway.ts';
import { FakeProcess } from '../support.ts';

/** A user whose home, project and system are folders of the test, and a gateway that is not running. */
export class User {
  readonly root: string;
  readonly home: string;
  readonly project: string;

  constructor(root: string) {
    this.root = root;
    this.home = join(root, 'home');
    this.project = join(root, 'project');
  }

  /** `millrace setup …` */
  run(...args: readonly string[]) {
    return this.millrace(['setup', ...args]);
  }

  async millrace(args: readonly string[], more: Partial<CliIo> = {}) {
    const process = new FakeProcess();
    const io: Partial<CliIo> = {
      root: this.root,
      cwd: this.project,
      platform: 'linux',
      hostDefaults: async () => ({
        ...plainHost,
        aptArchives: [{ path: '/deb', url: 'http://archive.example.org/deb' }],
      }),
      ...more,
      env: { HOME: this.home, ...more.env },
    };
    const code = await run([...args], process.io(io));
    return { code, stdout: process.stdout.text, stderr: process.stderr.text };
  }

  /** One that has to succeed; port 9 is nobody's. */
  async setUp(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args, '--port', '9');
    expect(stderr.replace(/^warning: .*\n/gm, '')).toBe('');
    expect(code).toBe(0);
    return stdout;
  }

  async undo(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run('undo', ...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  }

  async file(path: string, content: string | Uint8Array = '', mode = 0o640): Promise<string> {
    const whole = join(this.root, path);
    await mkdir(dirname(whole), { recursive: true });
    await writeFile(whole, content);
    await chmod(whole, mode);
    return whole;
  }
}

/** Such a user, without any files. */
export async function user(): Promise<User> {
  const one = new User(await temporaryFolder());
  // Where the journal is: the one folder that stays.
  await mkdir(join(one.home, '.local', 'state'), { recursive: true });
  await mkdir(one.project);
  return one;
}
