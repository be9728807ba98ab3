import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Client } from '../support/client.ts';
import { temporaryFolder } from '../support/gateway.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { settled, spawnGateway, writeConfig } from './spawned-gateway.ts';

test('kill -9 in the middle of a fill: the restart serves right bytes and sweeps the rest', async () => {
  const folder = await temporaryFolder();
  const origin = await httpOrigin();
  const size = 30_000_000;
  const headers = { 'Cache-Control': 'max-age=600' };
  origin.serve('/big', { body: { seed: 'crash', size }, headers });
  origin.serve('/done', { body: { seed: 'done', size: 300_000 }, headers });
  const config = await writeConfig(folder, origin.url);
  const data = join(folder, 'data');
  const client = new Client();

  const first = await spawnGateway(config);
  await client.send(`${first.url}/files/done`);
  await settled(client, first.admin);
  const open = await client.open(`${first.url}/files/big`);
  await once(open.message, 'data');
  open.message.on('error', () => open.message.destroy());
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');

  const second = await spawnGateway(config);
  const done = await client.send(`${second.url}/files/done`);
  expect(done.body.equals(generatedBytes('done', 0, 300_000))).toBe(true);
  expect(done.field('cache-status')).toContain('hit');
  const big = await client.send(`${second.url}/files/big`);
  await settled(client, second.admin);
  expect(big.body.equals(generatedBytes('crash', 0, size))).toBe(true);
  const again = await client.send(`${second.url}/files/big`);
  expect(again.field('cache-status')).toContain('hit');
  expect(await readdir(join(data, 'partial'))).toEqual([]);
  second.child.kill('SIGTERM');
  expect((await once(second.child, 'exit'))[0]).toBe(0);
});
