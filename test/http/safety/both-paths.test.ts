import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { conversation, type Step } from './conversations.ts';
import { compare, setup } from './two-gateways.ts';

const get = 'GET /files/a HTTP/1.1\r\nHost: x\r\n';
const hit = `${get}\r\n`;
const evil = 'GET /files/gone HTTP/1.1\r\nHost: x\r\n\r\n';
const fields = (count: number) =>
  Array.from({ length: count }, (_, i) => `F${i}: ${i}\r\n`).join('');

describe('behind hits of the same connection, both paths take as dangerous or as harmless', () => {
  test.each<[string, string, number?]>([
    ['CL.TE', `${get}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG`],
    ['TE.CL', `${get}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n${evil}`],
    [
      'a body of GET that looks like a request',
      `${get}Content-Length: ${evil.length}\r\n\r\n${evil}`,
    ],
    ['TE of GET', `${get}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ['two equal lengths', `${get}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`],
    ['a fold', `${get}A: b\r\n c\r\n\r\n`],
    ['a folded framing', `${get}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n`],
    ['bare LF', 'GET /files/a HTTP/1.1\nHost: x\n\n'],
    ['bare LF in a value', `${get}A: b\nContent-Length: 5\r\n\r\n`],
    ['bare CR in a value', `${get}A: b\rContent-Length: 5\r\n\r\n`],
    ['space before the colon', `${get}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`],
    ['NUL in the target', 'GET /files/a\0 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['two hosts', `${get}Host: y\r\n\r\n`],
    ['no host', 'GET /files/a HTTP/1.1\r\n\r\n'],
    ['HTTP/1.0', 'GET /files/a HTTP/1.0\r\nHost: x\r\n\r\n'],
    ['HTTP/1.0 that stays', 'GET /files/a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'],
    ['HEAD', `HEAD${get.slice(3)}\r\n`.repeat(2), 2],
    ['close, and more', `${get}Connection: close\r\n\r\n${evil}`],
    ['60 fields', `${get}${fields(60)}\r\n`],
    ['201 fields', `${get}${fields(201)}\r\n`],
    ['100-continue', `${get}Expect: 100-continue\r\n\r\n`],
    ['an unknown expectation', `${get}Expect: x\r\n\r\n`],
    ['an upgrade that is ignored', `${get}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n`],
    ['the absolute form', 'GET http://127.0.0.1:1/files/a HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['hits, ahead of their answers', hit.repeat(20), 20],
    ['hits with a miss among them', `${hit}${hit}${evil}GET /files/new${evil.slice(15)}${hit}`, 5],
    ['hits and a head that is none', `${hit}${hit}no head\r\n\r\n${hit}`],
  ])('%s', async (_what, bytes, answers = 1) => {
    const gateways = await setup();
    const said = (pieces: readonly string[], count: number): Step => {
      const method = pieces.join('').startsWith('HEAD') ? 'HEAD' : 'GET';
      return { pieces, methods: Array.from({ length: count }, () => method), pause: 1 };
    };
    const hits = [said([hit], 1), said([hit], 1), said([hit], 1)];
    await compare(gateways, [...hits, said([bytes], answers), said([hit], 1)]);
    // One byte at a time.
    await compare(gateways, [...hits, said([...bytes], answers), said([hit], 1)]);
  });
});

test('a document that is rewritten for the client is answered the same by both', async () => {
  const gateways = await setup();
  const { origin } = gateways;
  const dist = { tarball: `${origin.url}/pad/-/pad-1.0.0.tgz` };
  const pad = { name: 'pad', versions: { '1.0.0': { name: 'pad', version: '1.0.0', dist } } };
  const fresh = { 'Cache-Control': 'max-age=300', 'Content-Type': 'application/json' };
  origin.serve('/pad', { body: JSON.stringify(pad), headers: fresh });
  const dated = origin.handlerOf('/pad');
  origin.handle('/pad', (request, reply) => {
    reply.sendDate = false;
    reply.setHeader('Date', new Date(gateways.clock.now()).toUTCString());
    return dated?.(request, reply);
  });
  const ask = (client: string): Step => ({
    pieces: [`GET /npm/pad HTTP/1.1\r\nHost: x\r\nUser-Agent: ${client}\r\nAccept: */*\r\n\r\n`],
    methods: ['GET'],
    pause: 700,
  });
  const npm = ask('npm/11.0.0 node/v26.0.0 linux x64 workspaces/false');
  const yarn = ask('yarn/1.22.0 npm/? node/v26.0.0 linux x64');
  const heard = await compare(gateways, [npm, npm, npm, npm, yarn, yarn, yarn, npm, npm]);
  expect(heard.match(/HTTP\/1\.1 200/g)).toHaveLength(9);
  expect(heard).toContain('http://x/npm/pad/-/pad-1.0.0.tgz');
  const { client, adminUrl } = gateways.fast;
  const metrics = await client.send(`${adminUrl}/metrics`);
  expect(metrics.body.toString()).toMatch(/\{cache="prepared",result="hit"\} [1-9]/);
});

const post = `POST /files/private HTTP/1.1\r\nHost: x\r\nContent-Length: ${evil.length}\r\n`;
const half = `GET /files/a HTTP/1.1\r\nContent-Length: ${evil.length}\r\nA: `;

describe('what the parser still waits for when the first hit is answered is not taken for requests', () => {
  test.each<[string, readonly string[], number]>([
    ['a body', [`${hit}${post}\r\n`, evil], 2],
    ['a body, with a request behind it', [`${hit}${post}\r\n`, `${evil}${hit}`], 3],
    ['half a head', [`${hit}${hit.slice(0, 20)}`, `${hit.slice(20)}${hit}`], 3],
    ['half a head, which ends in what looks like one', [hit + half, `${get}\r\n`, evil, hit], 3],
    ['half a body', [`${hit}${post}\r\n${evil.slice(0, 9)}`, evil.slice(9), hit, hit], 4],
  ])('%s', async (_what, pieces, answers) => {
    const gateways = await setup();
    const methods = (count: number) => Array.from({ length: count }, () => 'GET');
    const rest = { pieces: [hit], methods: methods(1), pause: 1 };
    const steps = [{ pieces, methods: methods(answers), pause: 1 }, rest, rest, rest];
    await compare(gateways, steps);
    // The same when each piece is answered before the next, as far as it can be.
    await compare(gateways, [rest, ...steps]);
  });
});

test('whatever is said on a connection, both paths answer the same', {
  timeout: 120_000,
}, async () => {
  const gateways = await setup();
  await fc.assert(
    fc.asyncProperty(conversation(gateways.origin.url), async (steps) => {
      await compare(gateways, steps);
    }),
    { numRuns: 100 },
  );
});
