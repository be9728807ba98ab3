import { readdir } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { type GetOptions, get } from '../../src/cli/get.ts';
import { getTargets } from '../../src/cli/get-targets.ts';
import type { CliIo } from '../../src/cli/io.ts';
import { run } from '../../src/cli/program.ts';
import { createDownloads } from '../../src/gateway-get.ts';
import { temporaryDirectory } from '../storage/directories.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { type HttpOrigin, httpOrigin } from '../support/http-origin.ts';
import { FakeProcess } from './support.ts';

export const mebibyte = 2 ** 20;

export interface GetFixture {
  readonly origin: HttpOrigin;
  /** An empty folder: the working directory. */
  readonly cwd: string;
  /** Runs `millrace get` with these arguments, in a process of its own making. */
  get(args: readonly string[], overrides?: Partial<CliIo>): Promise<GetRun>;
  /** The same, while it runs. */
  start(args: readonly string[], overrides?: Partial<CliIo>): StartedGet;
  /** The same command by what it is made of, where a test has to replace a part. */
  direct(urls: readonly string[], options?: Partial<GetOptions>): Promise<GetRun>;
  files(): Promise<readonly string[]>;
}

export interface StartedGet {
  readonly fake: FakeProcess;
  readonly ended: Promise<GetRun>;
}

export interface GetRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function getFixture(): Promise<GetFixture> {
  const origin = await httpOrigin();
  const cwd = await temporaryDirectory();
  const start: GetFixture['start'] = (args, overrides) => {
    const fake = new FakeProcess();
    const io = fake.io({ cwd, isTerminal: false, ...overrides });
    const ended = run(['get', ...args], io).then((code) => said(code, fake));
    return { fake, ended };
  };
  return {
    origin,
    cwd,
    start,
    get: (args, overrides) => start(args, overrides).ended,
    async direct(urls, options) {
      const fake = new FakeProcess();
      const found = getTargets(urls, {
        cwd,
        output: undefined,
        outputDir: undefined,
        checksums: [],
        version: '1.2.3',
      });
      if (!found.ok) throw new Error(found.problems.join());
      const code = await get(
        {
          targets: found.targets,
          connections: 1,
          bandwidth: undefined,
          mirrors: true,
          config: undefined,
          json: false,
          ...options,
        },
        fake.io({ cwd, isTerminal: false }),
        createDownloads,
      );
      return said(code, fake);
    },
    files: async () => (await readdir(cwd)).sort(),
  };
}

function said(code: number, { stdout, stderr }: FakeProcess): GetRun {
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/** A generated file as an origin serves it, with its bytes to compare with. */
export function fileOf(seed: string, size: number) {
  return { resource: { body: { seed, size } }, bytes: generatedBytes(seed, 0, size) };
}

/** Answers with the first `count` bytes of a longer body and then stands still. */
export function sendSome(
  response: ServerResponse,
  { bytes, count, etag }: { bytes: Uint8Array; count: number; etag: string },
): void {
  response.writeHead(200, { ETag: etag, 'Content-Length': bytes.length });
  response.write(bytes.subarray(0, count));
}

/** The ranges that the requests asked for; undefined: the whole. */
export function rangesOf({ requests }: HttpOrigin): readonly (string | undefined)[] {
  return requests.map(({ headers }) => {
    const at = headers.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'range');
    return at === -1 ? undefined : headers[at + 1];
  });
}
