import { compilePattern, compileTemplate } from '../core/url-pattern.ts';
import type { Fault } from './issues.ts';

/**
 * What no single value of the rules can say: templates that name captures their pattern has not. It
 * looks at the raw data, so that it speaks also when single values are wrong.
 */
export function mirrorFaults(rules: unknown): Fault[] {
  return entriesOf(rules).flatMap(([at, { match, to }]) => {
    const pattern = typeof match === 'string' ? compilePattern(match) : undefined;
    if (!pattern?.ok) return [];
    const known = pattern.value.names;
    return entriesOf(to).flatMap(([index, { url }]) => {
      const template = typeof url === 'string' ? compileTemplate(url) : undefined;
      if (!template?.ok) return [];
      return [...new Set(template.value.names)]
        .filter((name) => !known.includes(name))
        .map((name) => ({
          path: ['mirrors', at, 'to', index, 'url'],
          key: false,
          wrong: `{${name}} is no capture of the pattern`,
          right:
            known.length === 0
              ? 'give the pattern captures, such as {path*}'
              : `it has ${known.map((each) => `{${each}}`).join(', ')}`,
        }));
    });
  });
}

type Entry = readonly [at: number, value: Readonly<Record<string, unknown>>];

function entriesOf(list: unknown): Entry[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((value: unknown, at): Entry[] =>
    typeof value === 'object' && value !== null ? [[at, { ...value }]] : [],
  );
}
