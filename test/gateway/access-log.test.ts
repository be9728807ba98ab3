import { expect, test } from 'vitest';
import { testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';

test.each([
  ['with', true],
  ['without', false],
])(
  'without accessLog requests make no lines until a reload sets it, %s the fast path',
  async (_, fastPath) => {
    const origin = await httpOrigin();
    origin.serve('/a', { body: 'hello', headers: { 'Cache-Control': 'max-age=60' } });
    const gateway = await testGateway({
      config: { accessLog: false, fastPath },
      mounts: [{ path: '/files', url: origin.url }],
    });
    for (let i = 0; i < 4; i++) await gateway.get('/files/a');
    await gateway.get('/files/none');
    expect(await gateway.gateway.reload({ ...gateway.config, accessLog: true })).toEqual([]);
    for (const query of ['?1', '?2']) await gateway.get(`/files/none${query}`);
    await gateway.close();
    const lines = gateway.log().filter(({ msg }) => msg === 'request');
    expect(lines.map(({ target }) => target)).toEqual(['/files/none?1', '/files/none?2']);
  },
);
