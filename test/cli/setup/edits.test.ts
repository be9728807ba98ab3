import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { diffLines } from '../../../src/cli/setup/diff.ts';
import { withArchives } from '../../../src/cli/setup/edits/apt-sources.ts';
import { withJsonValue } from '../../../src/cli/setup/edits/json.ts';
import {
  npmrcStyle,
  pipStyle,
  plainStyle,
  settingIn,
  withSetting,
  yarnrcStyle,
} from '../../../src/cli/setup/edits/settings-file.ts';
import { tomlString, withTomlString } from '../../../src/cli/setup/edits/toml.ts';
import { XmlText } from '../../../src/cli/setup/edits/xml.ts';
import { withYamlSetting, yamlStrings } from '../../../src/cli/setup/edits/yaml.ts';

const url = 'http://127.0.0.1:8080/npm/';

describe('a file of settings', () => {
  const cases = [
    ['', 'registry=U\n'],
    ['fund=false', 'fund=false\nregistry=U\n'],
    ['; mine\r\nfund = false\r\n', '; mine\r\nfund = false\r\nregistry=U\r\n'],
    ['a=1\n  registry = "https://registry.test/"\nb=2', 'a=1\n  registry=U\nb=2'],
    ['registry=one\nregistry=two\n', 'registry=one\nregistry=U\n'],
    ['# registry=no\nregistry2=no\n', '# registry=no\nregistry2=no\nregistry=U\n'],
    ['@scope:registry=https://x.test\n', '@scope:registry=https://x.test\nregistry=U\n'],
    ['a=1\n\n[section]\nregistry=no\n', 'a=1\nregistry=U\n\n[section]\nregistry=no\n'],
    [`registry = "${url}"\n`, `registry = "${url}"\n`],
  ] as const;
  test.each(cases)('of npm: %j', (before, after) => {
    const expected = after.replaceAll('U', url);
    expect(withSetting(before, npmrcStyle, undefined, 'registry', url)).toBe(expected);
  });

  const python = [
    ['', '[global]\nindex-url = U\n'],
    ['[install]\nuser = yes\n', '[install]\nuser = yes\n\n[global]\nindex-url = U\n'],
    [
      '[global]\n# mine\nindex_url: https://x.test\ntimeout = 9\n',
      '[global]\n# mine\nindex-url = U\ntimeout = 9\n',
    ],
    [
      '[global]\nindex-url =\n    https://x.test\nextra-index-url =\n    https://y.test\n    https://z.test\n\n[list]\n',
      '[global]\nindex-url = U\nextra-index-url =\n    https://y.test\n    https://z.test\n\n[list]\n',
    ],
    [
      '[global]\nextra-index-url =\n    https://y.test\n    https://z.test\n\n[list]\n',
      '[global]\nextra-index-url =\n    https://y.test\n    https://z.test\nindex-url = U\n\n[list]\n',
    ],
  ] as const;
  test.each(python)('of pip: %j', (before, after) => {
    const expected = after.replaceAll('U', url);
    expect(withSetting(before, pipStyle, 'global', 'index-url', url)).toBe(expected);
  });

  test('of Yarn before 2, of go and of Gradle', () => {
    const yarnrc = '# yarn lockfile v1\n\nlastUpdateCheck 1\nregistry "https://x.test"\n';
    expect(withSetting(yarnrc, yarnrcStyle, undefined, 'registry', url)).toBe(
      `# yarn lockfile v1\n\nlastUpdateCheck 1\nregistry "${url}"\n`,
    );
    expect(withSetting('GOFLAGS=-mod=mod\n', plainStyle, undefined, 'GOPROXY', url)).toBe(
      `GOFLAGS=-mod=mod\nGOPROXY=${url}\n`,
    );
    const properties = 'systemProp.url = http\\://127.0.0.1\\:8080/npm/\n';
    expect(withSetting(properties, plainStyle, undefined, 'systemProp.url', url)).toBe(properties);
  });

  const line = fc.oneof(
    fc.stringMatching(/^[ -~]{0,20}$/),
    fc.constantFrom('registry=x', ' registry = "y"', '[global]', '[other]', '# registry=z', ''),
  );
  const text = fc
    .tuple(fc.array(line), fc.constantFrom('\n', '\r\n'), fc.boolean())
    .map(([lines, end, ended]) => lines.join(end) + (ended ? end : ''));
  const styles = fc.constantFrom(
    [npmrcStyle, undefined] as const,
    [pipStyle, 'global'] as const,
    [yarnrcStyle, undefined] as const,
    [plainStyle, undefined] as const,
  );
  test('whatever it holds says the value afterwards, keeps every other line, and is then left alone', () => {
    fc.assert(
      fc.property(text, styles, (before, [style, section]) => {
        const after = withSetting(before, style, section, 'registry', url);
        expect(settingIn(after, style, section, 'registry')).toBe(url);
        expect(withSetting(after, style, section, 'registry', url)).toBe(after);
        const gone = diffLines(before, after)
          .filter((each) => each.startsWith('-'))
          .map((each) => each.slice(1).replace(' (no newline at the end)', ''))
          .filter((each) => !after.split(/\r?\n/).includes(each));
        // One setting, with the lines that go on with it.
        expect(gone.filter((each) => !/registry/.test(each) && !/^\s/.test(each))).toEqual([]);
      }),
    );
  });
});

describe('a TOML file', () => {
  const target = {
    table: ['source', 'crates-io'],
    key: 'replace-with',
    value: 'millrace',
    file: 'config.toml',
  };
  const cases = [
    ['', '[source.crates-io]\nreplace-with = "millrace"\n'],
    [
      '# mine\n[net]\nretry = 3 # often\n',
      '# mine\n[net]\nretry = 3 # often\n\n[source.crates-io]\nreplace-with = "millrace"\n',
    ],
    [
      '[source."crates-io"]\nreplace-with = \'mine\' # why\n\n[net]\n',
      '[source."crates-io"]\nreplace-with = "millrace" # why\n\n[net]\n',
    ],
    ['source.crates-io.replace-with = "mine"\n', 'source.crates-io.replace-with = "millrace"\n'],
    [
      '[source.crates-io]\n\n[alias]\nb = """\n[source.crates-io]\nreplace-with = "no"\n"""\n',
      '[source.crates-io]\nreplace-with = "millrace"\n\n[alias]\nb = """\n[source.crates-io]\nreplace-with = "no"\n"""\n',
    ],
    [
      '[build]\nflags = [\n  "[source.crates-io]", # no\n]\n',
      '[build]\nflags = [\n  "[source.crates-io]", # no\n]\n\n[source.crates-io]\nreplace-with = "millrace"\n',
    ],
    [
      '[source.crates-io]\nreplace-with = "millrace"',
      '[source.crates-io]\nreplace-with = "millrace"',
    ],
  ] as const;
  test.each(cases)('%j', (before, after) => {
    expect(withTomlString(before, target)).toBe(after);
    expect(withTomlString(after, target)).toBe(after);
    expect(tomlString(after, ['source', 'crates-io', 'replace-with'])).toBe('millrace');
  });

  test.each([
    ['source = { crates-io = { replace-with = "mine" } }\n'],
    ['[source]\ncrates-io = { replace-with = "mine" }\n'],
    ['[source.crates-io]\nreplace-with = """mine"""\n'],
  ])('%j is refused with the line to write by hand', (before) => {
    expect(() => withTomlString(before, target)).toThrow('replace-with = "millrace"');
  });
});

describe('a YAML file', () => {
  const scalar = { key: 'npmRegistryServer', value: url, file: '.yarnrc.yml' };
  const list = { key: ':sources', value: ['a', 'b'], file: '.gemrc' };
  const cases = [
    [scalar, '', `npmRegistryServer: "${url}"\n`],
    [scalar, '# only a comment', `# only a comment\nnpmRegistryServer: "${url}"\n`],
    [
      scalar,
      "nodeLinker: 'node-modules' # so\nnpmRegistryServer: https://x.test # mine\na: [1,\n  2]\n",
      `nodeLinker: 'node-modules' # so\nnpmRegistryServer: "${url}" # mine\na: [1,\n  2]\n`,
    ],
    [scalar, 'npmRegistryServer:\nb: 1\n', `npmRegistryServer: "${url}"\nb: 1\n`],
    [scalar, `npmRegistryServer: '${url}'`, `npmRegistryServer: '${url}'`],
    [list, '---\n:verbose: true\n', '---\n:verbose: true\n:sources:\n- "a"\n- "b"\n'],
    [
      list,
      '---\n:sources:\n- https://x.test\n- https://y.test\n:verbose: true\n',
      '---\n:sources:\n- "a"\n- "b"\n:verbose: true\n',
    ],
    [list, ':sources: [x]\n# end\n', ':sources:\n- "a"\n- "b"\n# end\n'],
  ] as const;
  test.each(cases)('%j in %j', (target, before, after) => {
    expect(withYamlSetting(before, target)).toBe(after);
    expect(withYamlSetting(after, target)).toBe(after);
    expect((parse(after) as Record<string, unknown>)[target.key]).toEqual(target.value);
  });

  test('says which strings a list has', () => {
    expect(yamlStrings('a: [x, y]\n', 'a', 'f')).toEqual(['x', 'y']);
    expect(yamlStrings('a: x\n', 'a', 'f')).toEqual(['x']);
    expect(yamlStrings(undefined, 'a', 'f')).toEqual([]);
  });

  test.each([['a: [1'], ['- a\n- b\n'], ['a: 1\n---\nb: 2\n'], ['{a: 1}\n']])(
    '%j is refused',
    (before) => {
      expect(() => withYamlSetting(before, scalar)).toThrow('.yarnrc.yml');
    },
  );

  test('of any other settings keeps them all', () => {
    const settings = fc.dictionary(
      fc.stringMatching(/^[a-z]{1,8}$/),
      fc.oneof(fc.integer(), fc.boolean(), fc.stringMatching(/^[a-z ]{0,12}$/)),
    );
    fc.assert(
      fc.property(settings, (given) => {
        const before = Object.entries(given)
          .map(([key, value]) => `"${key}": ${JSON.stringify(value)}\n`)
          .join('');
        const after = withYamlSetting(before, scalar);
        expect(after.startsWith(before)).toBe(true);
        expect(parse(after)).toEqual({ ...given, npmRegistryServer: url });
      }),
    );
  });
});

describe('a JSON file', () => {
  const target = { path: ['proxies', 'http-proxy'], value: url, file: 'daemon.json' } as const;
  const cases = [
    ['{}', `{\n    "proxies": {\n        "http-proxy": "${url}"\n    }\n}`],
    ['{\n\t"a": 1\n}\n', `{\n\t"a": 1,\n\t"proxies": {\n\t\t"http-proxy": "${url}"\n\t}\n}\n`],
    ['{"a": [1, 2] }', `{"a": [1, 2], "proxies": {\n    "http-proxy": "${url}"\n} }`],
    [
      '{\n  "proxies": { "http-proxy": "x", "no-proxy": "y" },\n  "b": "}"\n}\n',
      `{\n  "proxies": { "http-proxy": "${url}", "no-proxy": "y" },\n  "b": "}"\n}\n`,
    ],
  ] as const;
  test.each(cases)('%j', (before, after) => {
    const changed = withJsonValue(before, target);
    expect(JSON.parse(changed)).toEqual(JSON.parse(after));
    expect(changed).toBe(after);
    expect(withJsonValue(changed, target)).toBe(changed);
  });

  test('of any shape says the value afterwards and the same of all else', () => {
    const shape = fc.dictionary(fc.string(), fc.jsonValue());
    const step = fc.constantFrom(undefined, 2, '\t');
    fc.assert(
      fc.property(shape, step, (given, space) => {
        // A key `__proto__` is another thing to object literals than to JSON.
        const { proxies: _, ...rest } = given;
        const before = JSON.stringify(rest, undefined, space);
        const after = JSON.parse(withJsonValue(before, target)) as Record<string, unknown>;
        expect(after.proxies).toEqual({ 'http-proxy': url });
        delete after.proxies;
        expect(JSON.stringify(after)).toBe(JSON.stringify(JSON.parse(before)));
      }),
    );
  });

  test.each([['{'], ['[]'], ['{"proxies": 3}'], ['// no\n{}']])('%j is refused', (before) => {
    expect(() => withJsonValue(before, target)).toThrow('daemon.json');
  });
});

describe('an XML file', () => {
  test('gets an element as the first or last one, in the style of those that are there', () => {
    const before =
      '<a>\n\t<!-- <list> -->\n\t<list>\n\t\t<x k="1"/> <!-- y -->\n\t</list>\n\t<empty/>\n</a>\n';
    const first = new XmlText(before, '', 'f');
    first.insert(['list'], ['<new/>'], 'first');
    expect(first.text).toBe(before.replace('<list>\n\t\t<x', '<list>\n\t\t<new/>\n\t\t<x'));
    const last = new XmlText(before, '', 'f');
    last.insert(['list'], ['<new/>'], 'last');
    expect(last.text).toBe(before.replace('y -->\n', 'y -->\n\t\t<new/>\n'));
    const empty = new XmlText(before, '', 'f');
    empty.insert(['empty'], ['<new/>'], 'last');
    expect(empty.text).toBe(before.replace('<empty/>', '<empty>\n\t  <new/>\n\t</empty>'));
    const deep = new XmlText(before, '', 'f');
    deep.insert(['one', 'two'], ['<new/>'], 'first');
    expect(deep.text).toContain('<one>\n\t  <two>\n\t    <new/>\n\t  </two>\n\t</one>\n</a>\n');
  });

  test('gets attributes and texts changed in place', () => {
    const xml = new XmlText(`<a><b k='1' l="2" /><c>old</c><d/></a>`, '', 'f');
    const child = (name: string) => xml.children().find((each) => each.name === name);
    for (const [name, value] of Object.entries({ k: '<&>', n: '3' })) {
      const element = child('b');
      if (element) xml.setAttribute(element, name, value);
    }
    for (const name of ['c', 'd']) {
      const element = child(name);
      if (element) xml.setText(element, 'new');
    }
    expect(xml.text).toBe(`<a><b k='&lt;&amp;&gt;' l="2" n="3" /><c>new</c><d>new</d></a>`);
  });

  test.each([['<a><b></a>'], ['<a>'], ['no element'], ['<a/><b/>'], ['</a>']])(
    '%j is refused',
    (before) => {
      expect(() => new XmlText(before, '<a/>', 'settings.xml')).toThrow('settings.xml');
    },
  );
});

test('archives of apt are led to their mounts, in both styles, and nothing else is', () => {
  const targets = [
    { upstreams: ['http://archive.example.org/deb'], url: 'http://127.0.0.1:8080/deb' },
  ];
  const list =
    '# deb http://archive.example.org/deb x main\ndeb [arch=amd64] http://archive.example.org/deb/ x main # y\ndeb https://other.example.org/deb x main\n';
  expect(withArchives(list, false, targets)).toEqual({
    content: list.replace(
      '[arch=amd64] http://archive.example.org',
      '[arch=amd64] http://127.0.0.1:8080',
    ),
    here: true,
  });
  const stanza =
    'Types: deb\nURIs: http://archive.example.org/deb\n http://other.example.org/\nSuites: http://archive.example.org/deb\n';
  const { content, here } = withArchives(stanza, true, targets);
  expect(here).toBe(true);
  expect(content).toBe(
    stanza.replace('URIs: http://archive.example.org', 'URIs: http://127.0.0.1:8080'),
  );
  expect(withArchives(content, true, targets)).toEqual({ content, here: true });
  expect(withArchives('', true, targets)).toEqual({ content: '', here: false });
});
