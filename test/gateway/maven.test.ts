import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { type TestGateway, testGateway } from '../support/gateway.ts';
import { type HttpOrigin, httpOrigin } from '../support/http-origin.ts';

const jar = '/org/example/nail/1.0/nail-1.0.jar';
const good = Buffer.from('a jar');
const sha1 = createHash('sha1').update(good).digest('hex');

async function setup(
  ...origins: readonly HttpOrigin[]
): Promise<{ origin: HttpOrigin; gateway: TestGateway }> {
  const origin = origins[0] ?? (await httpOrigin());
  const upstreams = (origins.length > 0 ? origins : [origin]).map(({ url }) => ({ url }));
  const gateway = await testGateway({
    mounts: [{ path: '/maven', ecosystem: 'maven', url: origin.url, upstreams }],
  });
  return { origin, gateway };
}

const asked = ({ requests }: HttpOrigin) => requests.map(({ target }) => target);

test('a file is held to the checksum beside it, which is asked for first and then served', async () => {
  const { origin, gateway } = await setup();
  origin.serve(`${jar}.sha1`, { body: `${sha1}  nail-1.0.jar\n` });
  origin.serve(jar, { body: 'a jaR' });
  const refused = await gateway.get(`/maven${jar}`);
  expect(refused.status).toBe(502);
  expect(refused.field('proxy-status')).toContain('digest_mismatch');
  origin.serve(jar, { body: good });
  expect((await gateway.get(`/maven${jar}`)).body).toEqual(good);
  expect((await gateway.get(`/maven${jar}.sha1`)).field('cache-status')).toContain('hit');
  expect(asked(origin)).toEqual([`${jar}.sha1`, jar, `${jar}.sha1`, jar]);
});

test('a checksum that was wrong is asked for again', async () => {
  const { origin, gateway } = await setup();
  origin.serve(`${jar}.sha1`, { body: sha1.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) });
  origin.serve(jar, { body: good });
  expect((await gateway.get(`/maven${jar}`)).status).toBe(502);
  origin.serve(`${jar}.sha1`, { body: sha1 });
  expect((await gateway.get(`/maven${jar}`)).body).toEqual(good);
});

test('a file without a checksum, or with one that fails, is served; the absence is asked for once', async () => {
  const { origin, gateway } = await setup();
  origin.serve(jar, { body: good });
  expect((await gateway.get(`/maven${jar}`)).body).toEqual(good);
  expect((await gateway.get(`/maven${jar}.sha1`)).status).toBe(404);
  const pom = jar.replace('.jar', '.pom');
  origin.serve(pom, { body: '<project/>' });
  origin.serve(`${pom}.sha1`, { body: 'broken', status: 500 });
  expect((await gateway.get(`/maven${pom}`)).body.toString()).toBe('<project/>');
  expect(asked(origin)).toEqual([`${jar}.sha1`, jar, `${pom}.sha1`, pom]);
});

test('a stronger checksum that is stored already counts, and no other is asked for', async () => {
  const { origin, gateway } = await setup();
  const sha256 = createHash('sha256').update(good).digest('hex');
  origin.serve(`${jar}.sha256`, { body: sha256 });
  origin.serve(jar, { body: 'wrong' });
  await gateway.get(`/maven${jar}.sha256`);
  expect((await gateway.get(`/maven${jar}`)).status).toBe(502);
  expect(asked(origin)).toEqual([`${jar}.sha256`, jar]);
});

test('a herd asks once for the file and once for its checksum', async () => {
  const { origin, gateway } = await setup();
  origin.serve(`${jar}.sha1`, { body: sha1 });
  origin.serve(jar, { body: good });
  const paths = [jar, jar, `${jar}.sha1`, jar, `${jar}.sha1`];
  const answers = await Promise.all(paths.map((path) => gateway.get(`/maven${path}`)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  expect(asked(origin).sort()).toEqual([jar, `${jar}.sha1`]);
});

test('no checksum is asked for in the name of a client with credentials', async () => {
  const { origin, gateway } = await setup();
  origin.serve(`${jar}.sha1`, { body: sha1 });
  origin.serve(jar, { body: good });
  const headers = { Authorization: 'Basic bWluZTptaW5l' };
  expect((await gateway.get(`/maven${jar}`, { headers })).body).toEqual(good);
  expect(asked(origin)).not.toContain(`${jar}.sha1`);
});
