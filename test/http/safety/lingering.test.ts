import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { testGateway } from '../../support/gateway.ts';
import { httpOrigin } from '../../support/http-origin.ts';

const size = 12 * 1024 * 1024;
const get = 'GET /files/big HTTP/1.1\r\nHost: x\r\n\r\n';

test.each([true, false])(
  'what a client says behind a malformed request takes nothing of the answer before it (fast path: %s)',
  async (fastPath) => {
    const origin = await httpOrigin();
    origin.serve('/big', {
      body: { seed: 'big', size },
      headers: { 'Cache-Control': 'max-age=60' },
    });
    const gateway = await testGateway({
      config: { fastPath },
      mounts: [{ path: '/files', url: origin.url }],
    });
    /** Whether the answer is over for the gateway; nobody reads of it meanwhile. */
    const isOver = async () => {
      const { body } = await gateway.client.send(`${gateway.adminUrl}/metrics`);
      return /^millrace_requests_total\{.*\} 1$/m.test(body.toString());
    };
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(`${get}no head\r\n\r\n`);
    let bytes = 0;
    let said = false;
    for await (const chunk of socket) {
      bytes += (chunk as Buffer).length;
      // Not after each chunk: before half of it is read it hardly can be.
      if (said || bytes < size / 2 || !(await isOver())) continue;
      // Much of it is still on its way to the client.
      said = true;
      expect(bytes).toBeLessThan(size);
      await new Promise((resolve) => socket.write('and more', resolve));
    }
    expect(said).toBe(true);
    expect(bytes).toBeGreaterThan(size);
  },
);
