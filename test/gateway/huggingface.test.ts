import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';

const commit = '0123456789abcdef0123456789abcdef01234567';
const body = Buffer.from('weights');
const sha256 = createHash('sha256').update(body).digest('hex');

/** A hub that leads on to another host for large files, each time by another signature. */
async function setup() {
  const [hub, files] = [await httpOrigin(), await httpOrigin()];
  let signature = 0;
  for (const revision of [commit, 'main']) {
    hub.handle(`/acme/nail/resolve/${revision}/model.bin`, (_request, response) => {
      signature += 1;
      response
        .writeHead(302, {
          Location: `${files.url}/xet/model.bin?signature=${signature}`,
          'X-Repo-Commit': commit,
          'X-Linked-Etag': `"${sha256}"`,
          'X-Linked-Size': String(body.length),
          'X-Other': 'not kept',
          'Content-Length': 0,
        })
        .end();
    });
  }
  const serve = (bytes: Uint8Array) =>
    files.serve('/xet/model.bin', {
      body: bytes,
      headers: { 'Cache-Control': 'max-age=604800, immutable' },
    });
  serve(body);
  const gateway = await testGateway({
    config: { forwardProxy: { allow: ['127.0.0.1'] } },
    mounts: [{ path: '/hf', ecosystem: 'huggingface', url: hub.url, redirects: 'follow' }],
  });
  return { hub, files, gateway, serve };
}

const kept = ['x-repo-commit', 'x-linked-etag', 'x-linked-size', 'x-other'];
const expected = [commit, `"${sha256}"`, String(body.length), undefined];

test('a large file is kept under its own name, with what the hub says of it', async () => {
  const { hub, files, gateway } = await setup();
  const path = `/hf/acme/nail/resolve/${commit}/model.bin`;
  const head = await gateway.get(path, { method: 'HEAD' });
  expect([head.status, ...kept.map((name) => head.field(name))]).toEqual([200, ...expected]);
  expect((await gateway.get(path)).body).toEqual(body);
  await Promise.all([hub.close(), files.close()]);
  for (const method of ['GET', 'HEAD']) {
    const warm = await gateway.get(path, { method });
    expect(warm.field('cache-status')).toContain('hit');
    expect([warm.status, ...kept.map((name) => warm.field(name))]).toEqual([200, ...expected]);
  }
});

test('a large file that is not what the hub says of it is refused', async () => {
  const { gateway, serve } = await setup();
  const path = `/hf/acme/nail/resolve/${commit}/model.bin`;
  serve(Buffer.from('weightS'));
  expect((await gateway.get(path)).status).toBe(502);
  serve(body);
  expect((await gateway.get(path)).body).toEqual(body);
});

test('a file of a branch is validated, however long its bytes’ own place keeps them', async () => {
  const { hub, files, gateway } = await setup();
  const path = '/hf/acme/nail/resolve/main/model.bin';
  await gateway.get(path);
  const again = await gateway.get(path);
  expect(again.body).toEqual(body);
  expect(again.field('x-repo-commit')).toBe(commit);
  expect(hub.requests).toHaveLength(2);
  expect(files.requests.map(({ status }) => status)).toEqual([200, 304]);
});
