import { Buffer } from 'node:buffer';
import { canonicalUrl, hasDotSegments } from '../../src/core/canonical-url.ts';
import { parseNpmPath } from '../../src/ecosystems/npm-path.ts';
import type { MicroCase } from './case.ts';
import { nth } from './requests.ts';

/** URLs as they come, each a string of its own, as a parser makes them. */
function strings(count: number, make: (i: number) => string): readonly string[] {
  return Array.from({ length: count }, (_, i) => Buffer.from(make(i), 'latin1').toString('latin1'));
}

const urls = strings(
  512,
  (i) => `https://registry.example.com/@scope-${i}/name/-/name-1.${i}.0.tgz`,
);
const odd = strings(
  512,
  (i) => `HTTPS://Registry.Example.COM:443/@scope-${i}%2fname?write=${i}#top`,
);
const paths = strings(512, (i) => `/@scope-${i}%2fname-${i}/-/name-${i}-1.${i}.0.tgz`);

function keyOf(name: string, list: readonly string[]): MicroCase {
  return {
    name,
    times: 1_000,
    run(times) {
      let length = 0;
      for (let i = 0; i < times; i++) length += canonicalUrl(nth(list, i))?.length ?? 0;
      return length;
    },
  };
}

const dots: MicroCase = {
  name: 'key: whether a path has dot segments',
  times: 1_000,
  run(times) {
    let found = 0;
    for (let i = 0; i < times; i++) if (hasDotSegments(nth(paths, i))) found++;
    return found;
  },
};

const npmPath: MicroCase = {
  name: 'key: what an npm path means',
  times: 1_000,
  run(times) {
    let length = 0;
    for (let i = 0; i < times; i++) length += parseNpmPath(nth(paths, i)).kind.length;
    return length;
  },
};

export const keyCases: readonly MicroCase[] = [
  keyOf('key: canonical URL of a canonical one', urls),
  keyOf('key: canonical URL of one in another spelling', odd),
  dots,
  npmPath,
];
