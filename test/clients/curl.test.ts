import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/gateway.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { type HttpOrigin, httpOrigin } from '../support/http-origin.ts';
import { type GatewayProcess, gatewayProcess } from './support/gateway-process.ts';
import { attempt, run } from './support/run.ts';
import { skipWithout } from './support/tools.ts';

const size = 3_000_000;
const seed = 'disc';
const whole = generatedBytes(seed, 0, size);

async function filesMount(): Promise<{ origin: HttpOrigin; gateway: GatewayProcess; url: string }> {
  const origin = await httpOrigin();
  const headers = { 'Cache-Control': 'public, max-age=300' };
  origin.serve('/disc.img', { body: { seed, size }, headers });
  const upstreams = [{ url: origin.url }];
  const gateway = await gatewayProcess({
    mounts: [{ path: '/files', ecosystem: 'generic', upstreams }],
  });
  return { origin, gateway, url: `${gateway.url}/files/disc.img` };
}

/** Waits until nothing is on its way into the store. */
async function filled(gateway: GatewayProcess): Promise<void> {
  await expect.poll(async () => (await gateway.stats()).fills.active).toBe(0);
}

/** `curl` with `Cache-Status` on standard output. */
async function curl(...args: readonly string[]): Promise<string> {
  const { output } = await run('curl', ['-sS', '-f', '-w', '%header{cache-status}', ...args]);
  return output;
}

describe.skipIf(skipWithout('curl'))('curl', () => {
  test('resumes a broken download, from a cold and from a warm cache', async () => {
    const { origin, gateway, url } = await filesMount();
    const file = join(await temporaryFolder(), 'disc.img');
    await writeFile(file, whole.subarray(0, 1_000_000));
    await curl('-C', '-', '-o', file, url);
    expect(whole.equals(await readFile(file))).toBe(true);

    await filled(gateway);
    const requests = origin.requests.length;
    await truncate(file, 123_457);
    expect(await curl('-C', '-', '-o', file, url)).toContain('; hit');
    expect(whole.equals(await readFile(file))).toBe(true);
    expect(origin.requests).toHaveLength(requests);
  });

  test.each([
    ['0-0', 0, 1],
    ['100-1099', 100, 1100],
    ['2999990-', 2_999_990, size],
    ['-7', size - 7, size],
  ])('gets the bytes %s on a miss and on a hit', async (range, first, end) => {
    const { gateway, url } = await filesMount();
    const file = join(await temporaryFolder(), 'part');
    for (const status of ['fwd=uri-miss', '; hit']) {
      const args = ['-r', range, '-o', file, '-w', '%{http_code} %header{cache-status}', url];
      const { output } = await run('curl', ['-sS', '-f', ...args]);
      expect(output).toMatch(/^206 /);
      expect(output).toContain(status);
      expect(whole.subarray(first, end).equals(await readFile(file))).toBe(true);
      // The part is here before the whole is.
      await filled(gateway);
    }
  });

  test('gets the same entry through http_proxy', async () => {
    const { origin, gateway, url } = await filesMount();
    const file = join(await temporaryFolder(), 'disc.img');
    expect(await curl('-o', file, url)).toContain('fwd=uri-miss');
    await filled(gateway);
    const args = ['-sS', '-f', '-o', file, '-w', '%header{cache-status}', `${origin.url}/disc.img`];
    const { output } = await run('curl', args, { env: { http_proxy: gateway.url } });
    expect(output).toContain('; hit');
    expect(whole.equals(await readFile(file))).toBe(true);
    expect(origin.requests).toHaveLength(1);
  });

  test('sees a download that breaks off upstream as broken', async () => {
    const { origin, gateway } = await filesMount();
    origin.handle('/short', (_request, response) => {
      response.writeHead(200, { 'Content-Length': 100_000, 'Cache-Control': 'max-age=300' });
      response.write(Buffer.alloc(50_000), () => response.destroy());
    });
    const { code } = await attempt('curl', [
      '-sS',
      '-o',
      '/dev/null',
      `${gateway.url}/files/short`,
    ]);
    // 18: a partial file; 56: the connection was reset.
    expect([18, 56]).toContain(code);
  });
});
