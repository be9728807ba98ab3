import { expect, test } from 'vitest';
import { testGateway } from '../support/gateway.ts';

const admin = { host: '127.0.0.1', port: 0, token: undefined };

test('profiles are off by default and on where they are set, after a reload, too', async () => {
  const gateway = await testGateway({});
  const ask = async (): Promise<unknown> =>
    (await gateway.admin('/debug/cpu-profile?seconds=none')).detail;
  expect(await ask()).toContain('set admin.debug to true');
  await gateway.gateway.reload({ ...gateway.config, admin: { ...admin, debug: true } });
  expect(await ask()).toContain('Give ?seconds=');
  await gateway.gateway.reload({ ...gateway.config, admin: { ...admin, debug: false } });
  expect(await ask()).toContain('set admin.debug to true');
});
