import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { presetFolder, readPresets } from '../../src/config/mirror-presets.ts';
import { presetNames } from '../../src/config/mirror-types.ts';
import { compilePattern, compileTemplate } from '../../src/core/url-pattern.ts';
import { type MirrorRule, MirrorRules } from '../../src/upstream/mirror-rules.ts';

function rule(match: string, ...to: string[]): MirrorRule {
  const pattern = compilePattern(match);
  if (!pattern.ok) throw new Error(pattern.reason);
  const targets = to.map((url) => {
    const template = compileTemplate(url);
    if (!template.ok) throw new Error(template.reason);
    return { template: template.value, trust: 'verified', trusted: true } as const;
  });
  return { pattern: pattern.value, targets };
}

const urls = (rules: MirrorRules, url: string) => rules.map(url).map((mapped) => mapped.url);

describe('rules', () => {
  it('put captures of the path into the places of a template', () => {
    const rules = new MirrorRules([
      rule(
        'https://f.test/{owner}/r/{name}@{version}/{path*}',
        'https://m.test/x/{name}/{version}/{path}',
      ),
      rule('https://f.test/{path*}', 'http://n.test:8080/{path}', 'https://m.test/all/{path}'),
    ]);
    expect(urls(rules, 'https://f.test/o/r/a@1.2/b/c.tgz')).toEqual([
      'https://m.test/x/a/1.2/b/c.tgz',
      'http://n.test:8080/o/r/a@1.2/b/c.tgz',
    ]);
    expect(urls(rules, 'https://f.test/a%2Fb')).toEqual([
      'http://n.test:8080/a%2Fb',
      'https://m.test/all/a%2Fb',
    ]);
  });

  it.each([
    'https://f.test/a?token=x',
    'http://f.test/a',
    'https://f.test.evil.test/a',
    'https://f.test/',
    'https://f.test/a/../../etc',
    'https://f.test/a/%2e%2e/b',
  ])('leave %s alone', (url) => {
    const rules = new MirrorRules([rule('https://f.test/{path*}', 'https://m.test/{path}')]);
    expect(urls(rules, url)).toEqual([]);
  });

  it('remember their results, in bounds', () => {
    const rules = new MirrorRules([rule('https://f.test/{path*}', 'https://m.test/{path}')], 2);
    for (const path of ['a', 'b', 'a', 'c', 'a', 'b']) rules.map(`https://f.test/${path}`);
    expect([rules.hits, rules.misses, rules.remembered]).toEqual([2, 4, 2]);
  });

  it('are those of the origin, whatever others there are', () => {
    const rules = new MirrorRules([
      rule('https://f.test/{path*}', 'https://m.test/{path}'),
      rule('https://f.test:8443/{path*}', 'https://n.test/{path}'),
      rule('https://other.test/{path*}', 'https://o.test/{path}'),
    ]);
    expect(urls(rules, 'https://f.test:8443/a')).toEqual(['https://n.test/a']);
    expect(urls(rules, 'https://none.test/a')).toEqual([]);
    expect([rules.hits, rules.misses]).toEqual([0, 1]);
  });

  it('match in one pass whatever the URL', () => {
    const rules = new MirrorRules([
      rule('https://f.test/{a}-{b}-{c}-{d}-{e}.x', 'https://m.test/{a}'),
    ]);
    expect(urls(rules, `https://f.test/${'-'.repeat(100_000)}`)).toEqual([]);
    expect(urls(rules, `https://f.test/${'a-'.repeat(50_000)}`)).toEqual([]);
  });
});

it.each([
  ['f.test/{a}', 'is not an http or https URL with a path'],
  ['https://f.test', 'is not an http or https URL with a path'],
  ['https://{host}/a', 'has a capture in its host'],
  ['https://u:p@f.test/a', 'holds credentials'],
  ['https://F.test/a', 'has a host that is not in its usual spelling'],
  ['https://f.test/a?b', 'has a query or fragment'],
  ['https://f.test/{a', 'has a { without its counterpart'],
  ['https://f.test/a}', 'has a } without its counterpart'],
  ['https://f.test/{a b}', 'has blanks'],
  ['https://f.test/{1}', 'has {1}, which is not a name'],
  ['https://f.test/{a}{b}', 'has two captures with nothing between them'],
  ['https://f.test/{a}/{a}', 'has two captures named a'],
  ['https://f.test/{a*}/{b}', 'has a capture after {a*}'],
])('the pattern %s is refused: it %s', (text, reason) => {
  expect(compilePattern(text)).toEqual({ ok: false, reason: expect.stringContaining(reason) });
});

describe('the presets', () => {
  const names = readdirSync(presetFolder).map((name) => name.replace(/\.yaml$/, ''));

  it.each(names)('%s has rules that compile, for mirrors that are to be verified', async (name) => {
    const { rules, problems } = await readPresets([name]);
    expect(problems).toEqual([]);
    for (const { match, to } of rules) {
      expect(compilePattern(match).ok).toBe(true);
      for (const { url, region, trust } of to) {
        expect(compileTemplate(url).ok).toBe(true);
        expect(region).toBeDefined();
        expect(trust ?? 'verified').toBe('verified');
      }
    }
    expect(rules.length).toBeGreaterThan(0);
    expect(readFileSync(new URL(`${name}.yaml`, presetFolder), 'utf8')).toContain(`\`${name}\``);
  });

  it('are those that the configuration knows', () => {
    expect(names.sort()).toEqual([...presetNames]);
  });
});
