import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { collect } from '../support/collect.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { expectNoLeaks } from '../support/leaks.ts';
import { response } from '../support/replies.ts';
import { scriptedOrigin } from '../support/scripted-origin.ts';
import { selfSigned } from '../support/tls/self-signed.ts';
import { get, transportForTest } from './test-transport.ts';

const ok = response('200 OK', {}, 'ok');
const loopback = { address: '127.0.0.1', family: 4 };

describe('the private address guard', () => {
  it('refuses a name that resolves to the inside, before anything connects', async () => {
    expectNoLeaks();
    const origin = await scriptedOrigin();
    const transport = transportForTest({ lookup: async () => [loopback] });
    const url = `http://registry.test:${origin.port}/`;
    await expect(transport.send(get(url, { trusted: false }))).rejects.toMatchObject({
      code: 'destination_ip_prohibited',
      origin: 'upstream',
      retryable: false,
    });
    expect(origin.connections).toBe(0);
  });

  it.each(['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '169.254.169.254', '10.0.0.1'])(
    'refuses the address %s in the URL itself, over http and https',
    async (host) => {
      expectNoLeaks();
      const transport = transportForTest();
      for (const scheme of ['http', 'https']) {
        await expect(
          transport.send(get(`${scheme}://${host}/`, { trusted: false })),
        ).rejects.toMatchObject({ code: 'destination_ip_prohibited' });
      }
    },
  );

  it('connects to what is allowed, by address and port', async () => {
    const origin = await scriptedOrigin();
    origin.expect('GET', '/', ok);
    const asked: [string, number][] = [];
    const transport = transportForTest({
      lookup: async () => [{ address: '10.255.255.1', family: 4 }, loopback],
      allowAddress: (ip, port) => {
        asked.push([ip, port]);
        return ip === '127.0.0.1';
      },
    });
    const url = `http://registry.test:${origin.port}/`;
    const answer = await transport.send(get(url, { trusted: false }));
    expect((await collect(answer)).bytes.toString()).toBe('ok');
    expect(asked).toEqual([
      ['10.255.255.1', origin.port],
      ['127.0.0.1', origin.port],
    ]);
  });

  it('tries every address of a name that it may connect to', async () => {
    const origin = await httpOrigin();
    origin.serve('/big', { body: { seed: 'addresses', size: 3_000_000 } });
    const transport = transportForTest({
      lookup: async () => [{ address: '::1', family: 6 }, loopback],
    });
    const answer = await transport.send(get(`http://registry.test:${origin.port}/big`));
    const { bytes } = await collect(answer);
    expect(bytes.equals(generatedBytes('addresses', 0, 3_000_000))).toBe(true);
  });

  it('does not ride on a connection that a trusted request opened', async () => {
    const origin = await scriptedOrigin();
    origin.expect('GET', '/', ok);
    const transport = transportForTest({ lookup: async () => [loopback] });
    const url = `http://registry.test:${origin.port}/`;
    await collect(await transport.send(get(url)));
    await expect(transport.send(get(url, { trusted: false }))).rejects.toMatchObject({
      code: 'destination_ip_prohibited',
    });
  });
});

describe('TLS', () => {
  it('refuses a certificate that no known authority signed, and nothing can switch that off', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    onTestFinished(() => void vi.unstubAllEnvs());
    const origin = await scriptedOrigin(selfSigned);
    await expect(transportForTest().send(get(`${origin.url}/`))).rejects.toMatchObject({
      code: 'tls_certificate_error',
      origin: 'upstream',
      cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    });
    expect(origin.requests).toEqual([]);
  });

  it('accepts an authority of our own, for the names that the certificate has', async () => {
    const origin = await scriptedOrigin(selfSigned);
    origin.expect('GET', '/address', ok);
    origin.expect('GET', '/name', ok);
    const transport = transportForTest({ ca: [selfSigned.cert], lookup: async () => [loopback] });
    const { port } = origin;
    await collect(await transport.send(get(`https://127.0.0.1:${port}/address`)));
    await collect(await transport.send(get(`https://self-signed.test:${port}/name`)));
    await expect(transport.send(get(`https://other.test:${port}/`))).rejects.toMatchObject({
      code: 'tls_certificate_error',
      cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    });
  });

  it('names a peer that speaks no TLS', async () => {
    // It answers the handshake with a 400.
    const { port } = await httpOrigin();
    const sent = transportForTest().send(get(`https://127.0.0.1:${port}/`));
    await expect(sent).rejects.toMatchObject({ code: 'tls_protocol_error', retryable: true });
  });
});
