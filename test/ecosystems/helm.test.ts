import { describe, expect, it } from 'vitest';
import { createHelm } from '../../src/ecosystems/helm.ts';
import { describeEcosystem } from './ecosystem-conformance.ts';
import { digestIn, rewritten } from './reading.ts';

const upstreamUrl = 'https://charts.example.com/stable';
const publicBase = 'https://cache.example.com/helm/stable';
const create = () => createHelm({ hosts: ['Files.Example.com'] });
const document = { kind: 'index', freshness: 'rfc9111', vary: ['accept-encoding'], ownEtag: true };
const artifact = { kind: 'artifact' };
const plain = { kind: 'index', freshness: 'rfc9111' };
const table = [
  ['/index.yaml', document],
  ['/nail-1.0.0.tgz', artifact],
  ['/charts/nail-1.0.0-rc.1.tgz', artifact],
  ['/charts/nail-v1.0.0.tgz.prov', artifact],
  ['/nail.tgz', plain],
  ['/nail-1.0.0.tgz?x=1', plain],
  ['/../nail-1.0.0.tgz', plain],
  ['/', plain],
] as const;

describeEcosystem({
  create,
  upstreamUrl,
  paths: table.map(([path]) => path),
  allowedHosts: ['github.com', 'files.example.com'],
});

function judge(path: string) {
  const url = upstreamUrl + path;
  return create().classify({ method: 'GET', url, path, headers: [], upstreamUrl, publicBase });
}

it.each(table)('helm judges %s', (path, expected) => {
  expect(judge(path)).toMatchObject(expected);
});

const one = '1'.repeat(64);
const two = '2'.repeat(64);
const release = 'github.com/acme/charts/releases/download/nail-1.0.0/nail-1.0.0.tgz';

/** As Helm writes it; lists may stand where their key does, or deeper. */
const index = (deeper: string, [first, second]: readonly [string, string]) => `apiVersion: v1
entries:
  nail:
${deeper}  - apiVersion: v2
${deeper}    dependencies:
${deeper}    - digest: ${two}
${deeper}      name: urls
${deeper}      urls:
${deeper}        - https://files.example.com/other-9.9.9.tgz
${deeper}    digest: ${one}
${deeper}    home: https://files.example.com/nail-1.0.0.tgz
${deeper}    name: nail
${deeper}    urls:
${deeper}    - ${first}
${deeper}    - "https://evil.example/nail-1.0.0.tgz"
${deeper}    version: 1.0.0
${deeper}  - urls:
${deeper}      - ${second}
${deeper}      - charts/nail-0.9.0.tgz
${deeper}    digest: ${two}
${deeper}    version: 0.9.0
generated: "2026-01-01T00:00:00Z"
`;

describe.each([
  ['beside', ''],
  ['below', '  '],
])('helm: an index with its entries %s their chart', (_where, deeper) => {
  it('has the absolute URLs of charts on known hosts led to the gateway', () => {
    const before = index(deeper, [
      `https://${release}`,
      '"https://charts.example.com/stable/charts/nail-0.9.0.tgz"',
    ]);
    const after = index(deeper, [
      `${publicBase}/-/at/https/${release}`,
      `"${publicBase}/charts/nail-0.9.0.tgz"`,
    ]);
    for (const size of [1, 7, 100_000])
      expect(rewritten(judge('/index.yaml'), before, size)).toBe(after);
  });

  it('gives charts their digests, by their own entry', () => {
    const text = index(deeper, [`https://${release}`, 'http://127.0.0.1/nail-0.9.0.tgz']);
    expect(digestIn(judge('/nail-1.0.0.tgz'), text)?.hex).toBe(one);
    expect(digestIn(judge('/charts/nail-0.9.0.tgz'), text)?.hex).toBe(two);
    expect(digestIn(judge('/nail-3.0.0.tgz'), text)).toBeUndefined();
  });
});

it('helm: what is no index goes through byte for byte', () => {
  const lines = ['entries: {}', '<html>', `  - https://${release}`, 'x'.repeat(40_000), '\xff', ''];
  const text = lines.join('\r\n');
  for (const size of [3, 1000, 100_000])
    expect(rewritten(judge('/index.yaml'), text, size)).toBe(text);
});

it('helm: looks for a chart’s digest in the index above it, or in that of the mount', () => {
  const urls = (url: string) => {
    const path = `/${url}`;
    return create().classify({ method: 'GET', url, path, headers: [], upstreamUrl });
  };
  expect(urls(`${upstreamUrl}/charts/nail-1.0.0.tgz`)).toMatchObject({
    digestFrom: {
      urls: [
        `${upstreamUrl}/charts/index.yaml`,
        `${upstreamUrl}/index.yaml`,
        'https://charts.example.com/index.yaml',
      ],
    },
  });
  expect(urls(`https://${release}`)).toMatchObject({
    digestFrom: { urls: [`${upstreamUrl}/index.yaml`] },
  });
});
