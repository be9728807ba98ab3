import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { type TestGateway, testGateway } from '../support/gateway.ts';
import { type HttpOrigin, httpOrigin } from '../support/http-origin.ts';
import { until } from '../support/until.ts';

const path = '/org/example/nail/maven-metadata.xml';
const document = (...versions: readonly string[]) =>
  `<metadata><versioning><versions>${versions.map((each) => `<version>${each}</version>`).join('')}</versions></versioning></metadata>`;

interface Setup {
  readonly own: HttpOrigin;
  readonly common: HttpOrigin;
  readonly gateway: TestGateway;
  /** The versions that a client of the mount is told. */
  versions(): Promise<string[]>;
}

async function setup(): Promise<Setup> {
  const [own, common] = [await httpOrigin(), await httpOrigin()];
  const upstreams = [{ url: own.url }, { url: common.url }];
  const gateway = await testGateway({
    mounts: [{ path: '/maven', ecosystem: 'maven', url: own.url, upstreams }],
  });
  const versions = async () => {
    const { body } = await gateway.get(`/maven${path}`);
    return [...body.toString().matchAll(/<version>(.*?)<\/version>/g)].map(([, each = '']) => each);
  };
  return { own, common, gateway, versions };
}

function statuses({ requests }: HttpOrigin): readonly (number | undefined)[] {
  return requests.map(({ status }) => status);
}

test('metadata of several repositories is that of all, validated each time at each of them', async () => {
  const { own, common, gateway, versions } = await setup();
  own.serve(path, { body: document('1.0') });
  common.serve(path, { body: document('1.0', '2.0') });
  expect(await versions()).toEqual(['1.0', '2.0']);
  expect(await versions()).toEqual(['1.0', '2.0']);
  common.serve(path, { body: document('2.0', '3.0') });
  expect(await versions()).toEqual(['1.0', '2.0', '3.0']);
  expect([statuses(own), statuses(common)]).toEqual([
    [200, 304, 304],
    [200, 304, 200],
  ]);
  const outcomes = () => gateway.log().flatMap(({ outcome }) => (outcome ? [outcome] : []));
  // Lines are written once a turn.
  await until(() => outcomes().length === 3);
  expect(outcomes()).toEqual(['miss', 'revalidated', 'miss']);
});

test.each(['sha1', 'md5', 'sha256', 'sha512'])(
  'a .%s is that of what is merged, whatever the repositories say',
  async (algorithm) => {
    const { own, common, gateway } = await setup();
    own.serve(path, { body: document('1.0') });
    own.serve(`${path}.${algorithm}`, { body: 'that of the one' });
    common.serve(path, { body: document('2.0') });
    const checksum = await gateway.get(`/maven${path}.${algorithm}`);
    const { body } = await gateway.get(`/maven${path}`);
    expect(checksum.body.toString()).toBe(createHash(algorithm).update(body).digest('hex'));
    expect(checksum.field('content-type')).toBe('text/plain');
  },
);

test('what one repository alone has is given as it is, and its checksum is of these bytes', async () => {
  const { common, gateway } = await setup();
  const bytes = '<metadata ><!-- by hand --></metadata>\n';
  common.serve(path, { body: bytes });
  expect((await gateway.get(`/maven${path}`)).body.toString()).toBe(bytes);
  expect((await gateway.get(`/maven${path}.sha1`)).body.toString()).toBe(
    createHash('sha1').update(bytes).digest('hex'),
  );
});

test('what no repository has is not there', async () => {
  const { gateway } = await setup();
  expect((await gateway.get(`/maven${path}`)).status).toBe(404);
  expect((await gateway.get(`/maven${path}`, { method: 'HEAD' })).status).toBe(404);
  expect((await gateway.get(`/maven${path}.sha1`)).status).toBe(404);
});

test('one that fails is the answer: what it has might be what is missed', async () => {
  const { own, common, gateway } = await setup();
  own.serve(path, { body: document('1.0') });
  common.serve(path, { status: 500, body: 'broken' });
  const failed = await gateway.get(`/maven${path}`);
  expect([failed.status, failed.body.toString()]).toEqual([500, 'broken']);
  await common.close();
  expect((await gateway.get(`/maven${path}.sha1`)).status).toBe(502);
});

test('while the repositories are down it is what it was', async () => {
  const { own, common, versions, gateway } = await setup();
  own.serve(path, { body: document('1.0') });
  common.serve(path, { body: document('2.0') });
  await versions();
  await Promise.all([own.close(), common.close()]);
  expect(await versions()).toEqual(['1.0', '2.0']);
  await until(() => gateway.log().some(({ outcome }) => outcome === 'stale'));
});

test('a condition and a HEAD are about what is merged', async () => {
  const { own, common, gateway } = await setup();
  own.serve(path, { body: document('1.0') });
  common.serve(path, { body: document('2.0') });
  const { headers, body, field } = await gateway.get(`/maven${path}`);
  expect(headers).toContain('application/xml');
  const etag = field('etag') ?? '';
  const again = await gateway.get(`/maven${path}`, { headers: { 'If-None-Match': etag } });
  expect(again.status).toBe(304);
  const head = await gateway.get(`/maven${path}`, { method: 'HEAD' });
  expect([head.field('etag'), head.field('content-length')]).toEqual([etag, String(body.length)]);
});

test('where one is no metadata the first one stands, and the log says so', async () => {
  const { own, common, gateway } = await setup();
  own.serve(path, { body: document('1.0') });
  common.serve(path, { body: '<html>Log in</html>' });
  expect((await gateway.get(`/maven${path}`)).body.toString()).toBe(document('1.0'));
  const msg = 'not merged: one is not what it should be';
  expect(gateway.log()).toContainEqual(expect.objectContaining({ msg }));
});

test('by its own URL a repository gives its own document', async () => {
  const { own, common, gateway } = await setup();
  own.serve(path, { body: document('1.0') });
  common.serve(path, { body: document('2.0') });
  expect((await gateway.get(own.url + path)).body.toString()).toBe(document('1.0'));
  expect((await gateway.get(common.url + path)).body.toString()).toBe(document('2.0'));
});

test('credentials of a client go to the first repository alone', async () => {
  const { own, common, gateway } = await setup();
  own.serve(path, { body: document('1.0') });
  common.serve(path, { body: document('2.0') });
  const headers = { Authorization: 'Basic bWluZTptaW5l' };
  await gateway.get(`/maven${path}`, { headers });
  const sent = ({ requests }: HttpOrigin) => requests.map((each) => each.headers.join(' '));
  expect(sent(own)[0]).toContain('bWluZTptaW5l');
  expect(sent(common)[0]).not.toContain('bWluZTptaW5l');
});
