import { expect, it } from 'vitest';
import { pathOf } from '../../src/core/canonical-url.ts';
import { ecosystemIds } from '../../src/core/ecosystem-ids.ts';
import { chooseEcosystem, createEcosystem, createEcosystems } from '../../src/ecosystems/index.ts';

const options = {
  canonicalRegistry: 'https://registry.test/',
  tarballs: 'auto',
  hosts: [],
  authorized: false,
  aptHosts: ['deb.example.com'],
} as const;
const ecosystems = createEcosystems(options);

it('makes the ecosystem of every id', () => {
  expect(ecosystems.map(({ id }) => id)).toEqual(ecosystemIds);
  for (const id of ecosystemIds) expect(createEcosystem(id, options).id).toBe(id);
});

it.each([
  ['http://registry.test/name', 'npm'],
  ['http://registry.test:8080/name', 'generic'],
  ['http://deb.example.com/anything', 'apt'],
  ['http://unknown.example.com/debian/dists/stable/InRelease', 'apt'],
  ['http://unknown.example.com/index.html', 'generic'],
  ['http://unknown.example.com/name/-/name-1.0.0.tgz', 'generic'],
])('chooses for %s on the forward proxy: %s', (url, id) => {
  const request = { method: 'GET', url, path: pathOf(url), headers: [] };
  expect(chooseEcosystem(ecosystems, request).id).toBe(id);
});
