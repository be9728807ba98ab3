import { expect, test } from 'vitest';
import { showYaml } from '../../src/config/show.ts';
import { ecosystemIds } from '../../src/core/ecosystem-ids.ts';
import { good, load, loadText, problemsOf } from './support.ts';

test('rules, limits and places are read; what is shown can be loaded again', async () => {
  const text = `region: eu
limits: { concurrency: 32, ecosystems: [npm=16], bandwidth: 100MiB/s }
mirrorPresets: [pypi]
mirrors:
  - match: https://f.test/{path*}
    to:
      - { url: "https://m.test/{path}", concurrency: 4, bandwidth: 1.5MiB/s, region: eu, trust: full }
      - { url: "https://n.test/x/{path}" }
mounts:
  - path: /deb
    ecosystem: apt
    indexes: equal
    upstreams:
      - { url: "http://a.test", concurrency: 8, bandwidth: 1GB/s, region: eu }
      - { url: "http://b.test", trust: verified }
`;
  const { config, sources } = await good(loadText(text));
  expect(config).toMatchObject({
    region: 'eu',
    limits: {
      concurrency: 32,
      ecosystems: [{ ecosystem: 'npm', concurrency: 16 }],
      bandwidth: 104_857_600,
    },
    mirrors: [
      {
        match: 'https://f.test/{path*}',
        to: [
          { concurrency: 4, bandwidth: 1_572_864, trust: 'full' },
          { url: 'https://n.test/x/{path}' },
        ],
      },
    ],
    mounts: [
      {
        indexes: 'equal',
        upstreams: [
          { concurrency: 8, bandwidth: 1e9, region: 'eu' },
          { url: 'http://b.test', trust: 'verified' },
        ],
      },
    ],
  });
  expect(config.presetMirrors[0]?.match).toBe('https://files.pythonhosted.org/packages/{path*}');
  const again = await good(loadText(showYaml(config, sources)));
  const { data: _, ...shown } = config;
  expect(again.config).toMatchObject({ ...shown, mirrors: again.config.mirrors });
  expect(again.config.mirrors[0]?.to[0]).toMatchObject({ bandwidth: 1_572_864 });
});

test('all that is wrong with rules, rates and places is reported at once', async () => {
  const text = `region: The North
limits:
  concurrency: 0
  ecosystems: [npm=x, nmp=4]
  bandwidth: 10
mirrorPresets: [pypy]
mirrors:
  - match: https://f.test/{a
    to: [{ url: "https://m.test/{a}" }]
  - match: https://f.test/{path*}
    to:
      - url: https://m.test/{pth}/{path}
      - url: https://{path}.test/
        bandwidth: fast
        trust: some
  - to: []
mounts:
  - path: /a
    ecosystem: generic
    upstreams:
      - { url: "http://a.test", trust: verified }
      - { url: "http://b.test", trust: verified, authorization: "Bearer x" }
`;
  expect(await problemsOf(loadText(text))).toEqual([
    'millrace.yaml:1:9: region: "The North" is not a region; give a word of lower-case letters, digits and -, such as eu',
    'millrace.yaml:3:16: limits.concurrency: 0 is not a number of requests; give a whole number from 1 to 10000',
    `millrace.yaml:4:16: limits.ecosystems[0]: "npm=x" is not a limit for an ecosystem; give one such as npm=16, for one of ${ecosystemIds.join(', ')}`,
    `millrace.yaml:4:23: limits.ecosystems[1]: "nmp" is not an ecosystem; give one such as npm=16, for one of ${ecosystemIds.join(', ')}`,
    'millrace.yaml:5:14: limits.bandwidth: 10 is not a rate; give a rate such as 512KiB/s, 10MiB/s or 1GB/s',
    'millrace.yaml:6:17: mirrorPresets[0]: "pypy" is not one of the known words; give one of alpine, conda, crates, docker-hub, github-releases, go, hugging-face, jsdelivr, maven, pypi, rubygems, ubuntu',
    'millrace.yaml:8:12: mirrors[0].match: "https://f.test/{a" has a { without its counterpart; give one such as https://files.example.com/{owner}/{path*}',
    'millrace.yaml:12:14: mirrors[1].to[0].url: {pth} is no capture of the pattern; it has {path}',
    'millrace.yaml:13:14: mirrors[1].to[1].url: "https://{path}.test/" has a capture in its host: only the path may have some; give one such as https://mirror.example.com/{path}',
    'millrace.yaml:14:20: mirrors[1].to[1].bandwidth: "fast" is not a rate; give a rate such as 512KiB/s, 10MiB/s or 1GB/s',
    'millrace.yaml:15:16: mirrors[1].to[1].trust: "some" is not one of the known words; give one of full, verified',
    'millrace.yaml:16:5: mirrors[2].match: is missing; give one such as https://files.example.com/{owner}/{path*}',
    'millrace.yaml:16:9: mirrors[2].to: is an empty list; give 1 or more',
    'millrace.yaml:21:40: mounts[0].upstreams[0].trust: the first upstream proves what the others serve; make it full, or put another first',
    'millrace.yaml:22:50: mounts[0].upstreams[1].authorization: an upstream that is to be verified gets no credentials; remove it, or trust it fully',
  ]);
});

test('rules are for files only', async () => {
  expect(await problemsOf(load({ env: { MILLRACE_MIRRORS: 'x' } }))).toEqual([
    'MILLRACE_MIRRORS: mirrors cannot be given by a variable; put them into a file and name that in MILLRACE_CONFIG or --config',
  ]);
});
