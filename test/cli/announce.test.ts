import { expect, test } from 'vitest';
import { announce } from '../../src/cli/announce.ts';
import { good, load, loadText, plainHost } from '../config/support.ts';

const addresses = { url: 'http://127.0.0.1:8080', adminUrl: 'http://127.0.0.1:8081' };

test('apt is pointed at the listener as its proxy', async () => {
  const hostDefaults = {
    ...plainHost,
    aptArchives: [{ path: '/debian', url: 'http://archive.test/debian' }],
    aptHosts: ['archive.test'],
  };
  const { config } = await good(load({ hostDefaults }));
  const { text } = announce(config, addresses, '1.0.0');
  expect(text).toMatch(
    /\n {2}\/npm +→ https:\/\/registry\.test\n {2}\/debian +→ http:\/\/archive\.test\/debian\n/,
  );
  expect(text).toContain(
    `Point npm at it:  npm config set registry http://127.0.0.1:8080/npm/
Point apt at it:  echo 'Acquire::http::Proxy "http://127.0.0.1:8080";' | sudo tee /etc/apt/apt.conf.d/01millrace
`,
  );
});

test('npm is pointed at the public URL, and at the path of the first npm mount', async () => {
  const { config } = await good(
    loadText(`publicUrl: https://cache.example.com/x
mounts:
  - { path: /files, ecosystem: generic, upstreams: [{ url: "http://127.0.0.1:9000" }] }
  - { path: /js, ecosystem: npm, upstreams: [{ url: "https://registry.test" }] }
`),
  );
  expect(announce(config, addresses, '1.0.0').fields.setup).toEqual({
    npm: 'npm config set registry https://cache.example.com/x/js/',
  });
});

test('a wildcard address is no address to connect to', async () => {
  const { config } = await good(load());
  const wild = { url: 'http://0.0.0.0:8080', adminUrl: 'http://[::]:8081' };
  const { text, fields } = announce(config, wild, '1.0.0');
  expect(fields.setup).toEqual({
    npm: 'npm config set registry http://127.0.0.1:8080/npm/',
    apt: `echo 'Acquire::http::Proxy "http://127.0.0.1:8080";' | sudo tee /etc/apt/apt.conf.d/01millrace`,
  });
  expect(text).toContain('listens on http://0.0.0.0:8080, admin on http://[::1]:8081\n');
});

test('without npm and apt no tool is named', async () => {
  const { config } = await good(loadText('mounts: []'));
  expect(announce(config, addresses, '1.0.0').fields.setup).toEqual({});
});

test('the HTTPS listener is named where there is one', async () => {
  const { config } = await good(load());
  const secureUrl = 'https://127.0.0.1:8443';
  const { text, fields } = announce(config, { ...addresses, secureUrl }, '1.0.0');
  expect(text).toContain(`HTTPS on ${secureUrl}\n`);
  expect(fields.secureUrl).toBe(secureUrl);
  expect(announce(config, addresses, '1.0.0').text).not.toContain('HTTPS');
});
