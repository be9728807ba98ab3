import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import type { FillsFigures } from '../../src/core/fill-figures.ts';
import { testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { expectNoLeaks } from '../support/leaks.ts';
import { until } from '../support/until.ts';

/** A gateway with a fill of which 4 of 10 bytes have come; `rest` sends the others. */
async function setup(config = {}) {
  const origin = await httpOrigin();
  const replies: ServerResponse[] = [];
  origin.handle('/big?token=hush', (_request, reply) => {
    reply.writeHead(200, { 'Content-Length': 10, 'Cache-Control': 'max-age=60' });
    reply.write('0123');
    replies.push(reply);
  });
  const gateway = await testGateway({ config, mounts: [{ path: '/files', url: origin.url }] });
  const { message } = await gateway.client.open(`${gateway.url}/files/big?token=hush`);
  const fills = async () => (await gateway.admin('/api/fills')) as unknown as FillsFigures;
  await until(async () => (await fills()).fills[0]?.bytes === 4);
  return { origin, gateway, message, fills, rest: () => replies[0]?.end('456789') };
}

test('a transfer under way is visible while it lasts, without the credentials in its URL', async () => {
  const { origin, message, fills, rest } = await setup();
  expect(await fills()).toMatchObject({
    active: 1,
    fills: [
      {
        id: 1,
        url: `${origin.url}/big?token=***`,
        ecosystem: 'generic',
        mount: '/files',
        startedAt: expect.stringMatching(/^\d{4}-.*Z$/),
        size: 10,
        bytes: 4,
        readers: 1,
        storing: true,
        segments: [
          expect.objectContaining({ state: 'receiving', mirror: origin.url, first: 0, last: 9 }),
        ],
      },
    ],
  });
  rest();
  message.resume();
  await until(async () => (await fills()).active === 0);
});

test('it is told to who listens, and the shutdown ends the telling', async () => {
  expectNoLeaks();
  const { gateway, rest, message } = await setup();
  const stream = await gateway.client.open(`${gateway.adminUrl}/api/fills/stream`);
  let text = '';
  stream.message.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  await until(() => text.includes('\n\n'));
  expect(text).toMatch(/^retry: \d+\nevent: fills\ndata: \{"active":1,"fills":\[\{"id":1,/);
  expect(text).not.toContain('hush');
  rest();
  message.resume();
  const ended = new Promise<void>((resolve) => stream.message.on('end', resolve));
  await gateway.close();
  await ended;
  expect(stream.message.complete).toBe(true);
});

test('a reload ends the streams of those who knew the old token', async () => {
  const { gateway, rest, message } = await setup();
  const stream = await gateway.client.open(`${gateway.adminUrl}/api/fills/stream`);
  const ended = new Promise<void>((resolve) => stream.message.resume().on('end', resolve));
  await gateway.gateway.reload({
    ...gateway.config,
    admin: { ...gateway.config.admin, token: 'correct-horse' },
  });
  await ended;
  expect((await gateway.client.send(`${gateway.adminUrl}/api/fills/stream`)).status).toBe(401);
  rest();
  message.resume();
});
