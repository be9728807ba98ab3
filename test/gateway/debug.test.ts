import { expect, test } from 'vitest';
import { untilSettled } from '../support/settled.ts';
import { overSurfaces } from './surfaces.ts';

const debugToken = 'open-sesame';

overSurfaces('Millrace-Debug (RFC 9211 section 2.7)', (setup) => {
  async function debugged(token: string | undefined = debugToken) {
    const made = await setup({ config: { debugToken: token } });
    const { origin, gateway, at } = made;
    origin.serve('/a?b', {
      body: 'hello',
      headers: { 'Cache-Control': 'max-age=60', Vary: 'Millrace-Debug' },
    });
    const ask = async (headers: Record<string, string | string[]> = {}, method = 'GET') => {
      const answer = await gateway.get(at('/a?b'), { headers, method });
      await untilSettled(gateway);
      return answer.field('cache-status');
    };
    return { ...made, ask, key: `; key="${origin.url}/a?b"` };
  }

  test('with the token the key is there, on a miss and on a hit', async () => {
    const { ask, key } = await debugged();
    expect(await ask({ 'Millrace-Debug': debugToken })).toBe(
      `millrace; fwd=uri-miss; fwd-status=200; stored${key}; detail=miss`,
    );
    expect(await ask({ 'millrace-debug': debugToken })).toMatch(/^millrace; hit; ttl=\d+; key="/);
  });

  test.each([
    ['none', {}],
    ['a wrong one', { 'Millrace-Debug': 'open-sesam' }],
    ['an empty one', { 'Millrace-Debug': '' }],
    ['two', { 'Millrace-Debug': [debugToken, debugToken] }],
  ])('with %s nothing changes', async (_, headers) => {
    const { ask, gateway, at } = await debugged();
    expect(await ask(headers)).toBe('millrace; fwd=uri-miss; fwd-status=200; stored; detail=miss');
    const plain = await gateway.get(at('/a?b'));
    const wrong = await gateway.get(at('/a?b'), { headers });
    expect(wrong.headers.filter((_, i) => i % 2 === 0)).toEqual(
      plain.headers.filter((_, i) => i % 2 === 0),
    );
    expect(wrong.field('cache-status')).not.toContain('key');
  });

  test('without the setting no token is the right one', async () => {
    const { ask } = await debugged('');
    expect(await ask({ 'Millrace-Debug': debugToken })).not.toContain('key');
  });

  test('the field is part of no key, and reaches no upstream on any way', async () => {
    const { origin, ask, gateway, at } = await debugged();
    origin.handle('/post', (request, response) => {
      request.resume().on('end', () => response.end());
    });
    const headers = { 'Millrace-Debug': debugToken };
    // Although the response varies by it, whoever asks without it is served the same.
    expect(await ask(headers)).toContain('detail=miss');
    expect(await ask()).toContain('; hit');
    expect(await ask({ 'Millrace-Debug': 'wrong' })).toContain('; hit');
    expect(await ask({ ...headers, 'Cache-Control': 'no-cache' })).toContain('fwd=request');
    expect(
      await ask({ ...headers, 'Cache-Control': 'no-store', 'X-Other': '1' }, 'HEAD'),
    ).toBeDefined();
    await gateway.get(at('/post'), { method: 'POST', headers, body: 'x' });
    expect(origin.requests.length).toBeGreaterThan(2);
    for (const { headers: sent } of origin.requests) {
      expect(sent.map((text) => text.toLowerCase())).not.toContain('millrace-debug');
      expect(sent).not.toContain(debugToken);
    }
  });

  test('the log never has the token', async () => {
    const { ask, gateway } = await debugged();
    await ask({ 'Millrace-Debug': debugToken });
    expect(JSON.stringify(gateway.log())).not.toContain(debugToken);
  });

  test('a reload brings another token', async () => {
    const { ask, gateway } = await debugged();
    await gateway.gateway.reload({ ...gateway.config, debugToken: 'another' });
    expect(await ask({ 'Millrace-Debug': debugToken })).not.toContain('key');
    expect(await ask({ 'Millrace-Debug': 'another' })).toContain('key=');
  });
});
