import { describe, expect, test } from 'vitest';
import { testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { untilSettled } from '../support/settled.ts';

describe('the forward proxy is never an open one', () => {
  test('refuses private addresses that nobody allowed', async () => {
    const origin = await httpOrigin();
    const gateway = await testGateway({ config: { forwardProxy: { allow: [] } } });
    const answer = await gateway.get(`${origin.url}/a`);
    expect(answer.status).toBe(403);
    expect(answer.field('proxy-status')).toContain('error=destination_ip_prohibited');
    expect(answer.body.toString()).toContain('forwardProxy.allow');
    expect(origin.requests).toHaveLength(0);
  });

  test('refuses names that resolve to private addresses', async () => {
    const origin = await httpOrigin();
    const gateway = await testGateway({ config: { forwardProxy: { allow: [] } } });
    const answer = await gateway.get(`http://localhost:${origin.port}/a`);
    expect(answer.field('proxy-status')).toContain('error=destination_ip_prohibited');
    expect(answer.status).toBe(403);
    expect(origin.requests).toHaveLength(0);
  });

  test('beyond loopback serves allowed hosts only, and says what would allow another', async () => {
    const gateway = await testGateway({
      config: { listen: { host: '0.0.0.0', port: 0 }, forwardProxy: { allow: ['*.example.com'] } },
    });
    const url = gateway.url.replace('0.0.0.0', '127.0.0.1');
    const answer = await gateway.client.send('http://example.org/a', { proxy: url });
    expect(answer.status).toBe(403);
    expect(answer.body.toString()).toContain('forwardProxy.allow');
  });

  test('serves a configured upstream, from the entry of its mount', async () => {
    const origin = await httpOrigin();
    origin.serve('/base/a', { body: 'hello', headers: { 'Cache-Control': 'max-age=60' } });
    const gateway = await testGateway({
      mounts: [{ path: '/files', url: `${origin.url}/base` }],
      config: { forwardProxy: { allow: [] } },
    });
    expect((await gateway.get('/files/a')).body.toString()).toBe('hello');
    const proxied = await gateway.get(`${origin.url}/base/a`);
    expect(proxied.field('cache-status')).toContain('hit');
    expect(origin.requests).toHaveLength(1);
    const outside = await gateway.get(`${origin.url}/elsewhere`);
    expect(outside.status).toBe(403);
  });

  test('knows the files of a mount on the other hosts that were named for it', async () => {
    const origin = await httpOrigin();
    const files = await httpOrigin();
    files.serve('/packages/nail-1.0-py3-none-any.whl', { body: 'wheel' });
    const gateway = await testGateway({
      mounts: [
        {
          path: '/pypi',
          ecosystem: 'pypi',
          url: origin.url,
          hosts: [`127.0.0.1:${files.port}`],
        },
      ],
    });
    const wheel = `${files.url}/packages/nail-1.0-py3-none-any.whl`;
    expect((await gateway.get(wheel)).body.toString()).toBe('wheel');
    await untilSettled(gateway);
    // Nothing says how long it is fresh but that it is a file of this ecosystem.
    expect((await gateway.get(wheel)).field('cache-status')).toContain('; hit');
    expect(files.requests).toHaveLength(1);
  });

  test('takes no https:// URL', async () => {
    const gateway = await testGateway();
    expect((await gateway.get('https://example.org/a')).status).toBe(403);
  });

  test('finds itself', async () => {
    const gateway = await testGateway();
    const answer = await gateway.get(`${gateway.url.replace('http:', 'http:')}/http://x`, {});
    expect(answer.status).toBe(508);
  });
});
