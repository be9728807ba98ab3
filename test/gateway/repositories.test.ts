import { expect, test } from 'vitest';
import { testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';

test('repositories behind one path: the first that has a file gives it, and each file is cached', async () => {
  const [own, common] = [await httpOrigin(), await httpOrigin()];
  const ours = '/example.com/ours/@v/v1.0.0.zip';
  const theirs = '/example.com/theirs/@v/v1.0.0.zip';
  own.serve(ours, { body: 'ours' });
  common.serve(ours, { body: 'not ours' });
  common.serve(theirs, { body: 'theirs' });
  const upstreams = [{ url: own.url }, { url: common.url }];
  const gateway = await testGateway({
    mounts: [{ path: '/go', ecosystem: 'go', url: own.url, upstreams }],
  });
  const read = async (path: string) => (await gateway.get(path)).body.toString();
  for (let i = 0; i < 2; i++) {
    expect(await read(`/go${ours}`)).toBe('ours');
    expect(await read(`/go${theirs}`)).toBe('theirs');
  }
  expect(own.requests.map(({ target, status }) => [target, status])).toEqual([
    [ours, 200],
    [theirs, 404],
  ]);
  expect(common.requests).toHaveLength(1);
  // Through the proxy the second one's own file is what its URL says.
  expect(await read(common.url + ours)).toBe('not ours');

  await own.close();
  const failed = await gateway.get('/go/example.com/other/@v/v1.0.0.zip');
  expect(failed.status).toBe(502);
  expect(common.requests).toHaveLength(2);
});
