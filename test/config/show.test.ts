import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { restartNeeded } from '../../src/config/compare.ts';
import { showable, showYaml } from '../../src/config/show.ts';
import { good, load, loadText } from './support.ts';

const text = `admin: { token: hush }
debugToken: hush
publicUrl: https://cache.example.com
disk: 1500MiB
mounts:
  - path: /npm
    ecosystem: npm
    upstreams: [{ url: "https://registry.test", authorization: "Bearer hush" }]
  - { path: /files, ecosystem: generic, upstreams: [{ url: "http://127.0.0.1:9000" }] }
`;

test('secrets are redacted in both forms', async () => {
  const { config, sources } = await good(loadText(text));
  const yaml = showYaml(config, sources);
  expect(yaml).not.toContain('hush');
  expect(JSON.stringify(showable(config))).not.toContain('hush');
  expect(showable(config)).toMatchObject({
    admin: { token: '[redacted]' },
    mounts: [{ upstreams: [{ authorization: '[redacted]' }] }, {}],
  });
});

test('each value is followed by its source', async () => {
  const { config, sources } = await good(
    loadText(text, { env: { MILLRACE_MEMORY: '64MiB' }, flags: { '--port': '0' } }),
  );
  const yaml = showYaml(config, sources);
  expect(yaml).toContain('  port: 0 # from --port\n');
  expect(yaml).toContain('memory: 64MiB # from MILLRACE_MEMORY\n');
  expect(yaml).toContain('disk: 1500MiB # from millrace.yaml:4\n');
  expect(yaml).toContain('logLevel: info # from default\n');
  expect(yaml).toContain('# from millrace.yaml:5\nmounts:\n');
  expect(yaml).toContain('# from default\ntrustedProxies: []\n');
});

test('what is not set is named, and so is the origin of each suggested mount', async () => {
  const { config, sources } = await good(load());
  const yaml = showYaml(config, sources);
  expect(yaml).toContain('# admin.token is not set: no token is asked for\n');
  expect(yaml).toContain('  # from npm configuration of this host\n  - path: /npm\n');
});

test('what is shown can be loaded again and is the same', async () => {
  const { config, sources } = await good(
    loadText(
      text
        .replaceAll(/.*hush.*\n/g, '')
        .replace(
          '    ecosystem: npm\n',
          '    ecosystem: npm\n    upstreams: [{ url: "https://registry.test" }]\n',
        ),
    ),
  );
  const again = await good(loadText(showYaml(config, sources)));
  expect(again.config).toEqual(config);
});

test('the YAML holds what the JSON form holds', async () => {
  const { config, sources } = await good(loadText(text));
  expect(parse(showYaml(config, sources))).toEqual(showable(config));
});

test('only settings that wait for a restart are named as such', async () => {
  const before = (await good(load())).config;
  const env = {
    MILLRACE_LISTEN_PORT: '1',
    MILLRACE_LOG_LEVEL: 'debug',
    MILLRACE_DATA: '/elsewhere',
    MILLRACE_NEGATIVE_TTL: '1s',
  };
  const after = (await good(load({ env }))).config;
  expect(restartNeeded(before, after)).toEqual(['listen.port', 'data']);
  expect(restartNeeded(before, before)).toEqual([]);
});
