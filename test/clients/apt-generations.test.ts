import { describe, expect, test } from 'vitest';
import { httpOrigin } from '../support/http-origin.ts';
import { type AptHost, aptHost } from './support/apt-host.ts';
import { type GatewayProcess, gatewayProcess } from './support/gateway-process.ts';
import { run } from './support/run.ts';
import { type SignedArchive, signedArchive } from './support/signed-archive.ts';
import { skipWithout } from './support/tools.ts';

const packages = ['of-main', 'of-contrib'] as const;

interface Setup {
  readonly archive: SignedArchive;
  readonly gateway: GatewayProcess;
  readonly host: () => Promise<AptHost>;
}

async function setup(
  generations: number,
  byHash: boolean,
  configuration: readonly string[] = [],
): Promise<Setup> {
  const { output } = await run('dpkg', ['--print-architecture']);
  const origin = await httpOrigin();
  const archive = await signedArchive({ origin, architecture: output.trim(), generations, byHash });
  const upstreams = [{ url: `${origin.url}/debian` }];
  const gateway = await gatewayProcess({
    mounts: [{ path: '/debian', ecosystem: 'apt', upstreams }],
  });
  const source = `deb [signed-by=${archive.key}] ${gateway.url}/debian stable main contrib`;
  return { archive, gateway, host: () => aptHost({ sources: [source], configuration }) };
}

/** The versions of all packages; they are of one state. */
async function versions(host: AptHost): Promise<string | undefined> {
  const [first, second] = await Promise.all(packages.map((name) => host.version(name)));
  expect(first).toBe(second);
  return first;
}

/** An update that may fail, but for one reason: what apt wants is nowhere any more. */
async function update(host: AptHost): Promise<boolean> {
  const { code, errors } = await host.attempt('update');
  expect(errors).not.toMatch(/mismatch|unexpected size|BADSIG/i);
  if (code !== 0 || errors !== '') expect(errors).toContain('502');
  return code === 0 && errors === '';
}

describe.skipIf(skipWithout('apt-get', 'dpkg', 'gpg', 'gpgv'))(
  'apt, with an archive that changes between InRelease and its indexes',
  () => {
    test('by-hash: an update is of the state that it began with', async () => {
      const { archive, host } = await setup(2, true);
      archive.moveAfterRelease();
      const first = await host();
      expect(await update(first)).toBe(true);
      expect([await versions(first), archive.generation]).toEqual(['1', 2]);
      expect(await update(first)).toBe(true);
      expect(await versions(first)).toBe('2');
    });

    test('by-hash that apt is told not to use: the gateway does', async () => {
      const { archive, host } = await setup(3, true, ['Acquire::By-Hash "no";']);
      archive.moveAfterRelease();
      const first = await host();
      for (const version of ['1', '2', '3']) {
        expect(await update(first)).toBe(true);
        expect(await versions(first)).toBe(version);
      }
    });

    test('no by-hash: what the gateway has is served on, and the rest is an error that later updates mend', async () => {
      const { archive, host } = await setup(3, false);
      const [first, second] = [await host(), await host()];
      expect(await update(first)).toBe(true);
      archive.moveAfterRelease();
      // It is given the InRelease of the first state: all that belongs to it is there.
      expect(await update(second)).toBe(true);
      expect([await versions(second), archive.generation]).toEqual(['1', 2]);
      expect(await update(second)).toBe(false);
      expect(await versions(second)).toBe('1');
      for (const each of [second, first]) {
        expect(await update(each)).toBe(true);
        expect(await versions(each)).toBe('3');
      }
    });

    test.each([
      ['by-hash', true, []],
      ['no by-hash in the archive', false, []],
      ['by-hash off in apt', true, ['Acquire::By-Hash "no";']],
    ] as const)(
      'several update at once while it changes ten times, %s: no hash mismatch',
      async (_what, byHash, configuration) => {
        const { archive, host } = await setup(11, byHash, configuration);
        archive.moveAfterRelease();
        const hosts = await Promise.all([host(), host(), host()]);
        await Promise.all(
          hosts.map(async (each) => {
            while (archive.generation < 11) await update(each);
            while (!(await update(each)));
            expect(await versions(each)).toBe('11');
          }),
        );
      },
    );
  },
);
