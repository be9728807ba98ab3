import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/core/errors.ts';
import { JsonStringRewriter, maxTokenBytes } from '../../src/ecosystems/json-string-rewriter.ts';

const selector = {
  dist: { tarball: true },
  versions: { '*': { dist: { tarball: true } } },
} as const;

describe('the JSON string rewriter', () => {
  it.each([
    ['a selected string', '{"dist":{"tarball":"old"}}', '{"dist":{"tarball":"<old>"}}'],
    [
      'any key at a wildcard',
      '{"versions":{"*":{"dist":{"tarball":"a"}},"":{"dist":{"tarball":"b"}}}}',
      '{"versions":{"*":{"dist":{"tarball":"<a>"}},"":{"dist":{"tarball":"<b>"}}}}',
    ],
    [
      'white space around tokens',
      ' \n{ "dist" :\t{ "tarball"\r\n : "old" } } \n',
      ' \n{ "dist" :\t{ "tarball"\r\n : "<old>" } } \n',
    ],
    [
      'escaped slashes',
      String.raw`{"dist":{"tarball":"a\/b\u002fc"}}`,
      '{"dist":{"tarball":"<a/b/c>"}}',
    ],
    [
      'an escaped key',
      String.raw`{"di\u0073t":{"\u0074arball":"old"}}`,
      String.raw`{"di\u0073t":{"\u0074arball":"<old>"}}`,
    ],
    [
      'escapes in the output',
      String.raw`{"dist":{"tarball":"\"\\\n"}}`,
      String.raw`{"dist":{"tarball":"<\"\\\n>"}}`,
    ],
    ['a byte order mark', '\ufeff{"dist":{"tarball":"old"}}', '\ufeff{"dist":{"tarball":"<old>"}}'],
    ['other alphabets', '{"dist":{"tarball":"häß𝒳"}}', '{"dist":{"tarball":"<häß𝒳>"}}'],
    [
      'every one of two equal keys',
      '{"dist":{"tarball":"a","tarball":"b"}}',
      '{"dist":{"tarball":"<a>","tarball":"<b>"}}',
    ],
  ])('replaces %s', (_name, input, output) => {
    expect(rewrite(input)).toBe(output);
  });

  it.each([
    [
      'a key elsewhere',
      '{"tarball":"old","x":{"dist":{"tarball":"old"}},"dist":{"a":{"tarball":"old"}}}',
    ],
    ['a key in an array', '{"dist":[{"tarball":"old"}],"versions":[{"dist":{"tarball":"old"}}]}'],
    ['a value that looks like a key', '{"dist":{"x":"tarball","y":["tarball","old"]}}'],
    [
      'a string that holds a document',
      String.raw`{"readme":"{\"dist\":{\"tarball\":\"old\"}}","a":"\\\\\",\\"}`,
    ],
    ['a string that ends in backslashes', String.raw`{"a":"\\","dist":{"b":"\\\"tarball\":\\"}}`],
    [
      'what is not a string',
      '{"dist":{"tarball":1e400,"x":{"tarball":"old"}},"versions":{"1":{"dist":{"tarball":null}}}}',
    ],
    [
      'a null where an object is due',
      '{"dist":null,"versions":{"1":null,"2":{"dist":true}},"tarball":"old"}',
    ],
    [
      'keys of Object.prototype',
      '{"__proto__":{"tarball":"old"},"constructor":{"dist":{"tarball":"old"}}}',
    ],
    ['what is not an object', '[{"dist":{"tarball":"old"}}]'],
    ['what is not JSON', '<html>{"dist":{"tarball":"old"}}'],
    ['what follows the object', '{}{"dist":{"tarball":"old"}}'],
    ['an empty body', ''],
    ['number spellings', '{"a":1.0,"b":1e+2,"c":-0,"d":12345678901234567890.10}'],
    ['an unknown escape', String.raw`{"dist":{"tarball":"a\qb"}}`],
  ])('leaves %s alone', (_name, input) => {
    expect(rewrite(input)).toBe(input);
  });

  it('leaves a string that is not UTF-8 alone', () => {
    const input = Buffer.concat([
      Buffer.from('{"dist":{"tarball":"a'),
      Buffer.from([0xff]),
      Buffer.from('"}}'),
    ]);
    expect(run([input])).toEqual(input);
  });

  it.each([
    [maxTokenBytes, '<'],
    [maxTokenBytes + 1, ''],
  ])('replaces a value of %i bytes only within the bound, however it is cut', (length, mark) => {
    const value = 'x'.repeat(length);
    const input = Buffer.from(`{"dist":{"tarball":"${value}","y":"z"},"versions":{}}`);
    const close = mark && '>';
    const output = `{"dist":{"tarball":"${mark}${value}${close}","y":"z"},"versions":{}}`;
    expect(run([input]).toString()).toBe(output);
    expect(run(cut(input, [5, 30, 4096, 8192, 8200, 8225])).toString()).toBe(output);
  });

  it('holds back no more than its bound of a key or value that never ends', () => {
    const rewriter = new JsonStringRewriter(selector, { map: () => 'new' });
    let held = 0;
    for (const chunk of ['{"dist":{"tarball":"', ...Array<string>(64).fill('y'.repeat(1024))]) {
      held += chunk.length;
      for (const piece of rewriter.push(Buffer.from(chunk))) held -= piece.length;
      expect(held).toBeLessThanOrEqual(maxTokenBytes + 1);
    }
    expect(held).toBe(0);
  });

  it('keeps nothing of a chunk that its caller overwrites', () => {
    const rewriter = new JsonStringRewriter(selector, { map: (text) => `<${text}>` });
    const chunk = Buffer.from('{"dist":{"tarball":"begin');
    const output = rewriter.push(chunk).map((piece) => Buffer.from(piece));
    chunk.fill(0);
    output.push(...rewriter.push(Buffer.from('end"}}')).map((piece) => Buffer.from(piece)));
    expect(Buffer.concat(output).toString()).toBe('{"dist":{"tarball":"<beginend>"}}');
  });

  it.each(['{', '{"a', '{"a":1', '{"dist":{"tarball":"x"}', String.raw`{"a":"\\"`])(
    'calls %s cut off',
    (input) => {
      expect(() => rewrite(input)).toThrow(GatewayError);
    },
  );

  it('says the same however the document is cut, and changes selected values only', () => {
    fc.assert(
      fc.property(
        document(),
        fc.constantFrom(0, 1, 3),
        fc.array(fc.nat(2000), { maxLength: 20 }),
        (value, indent, cuts) => {
          const input = Buffer.from(JSON.stringify(value, undefined, indent));
          const whole = run([input]);
          expect(run(cut(input, cuts))).toEqual(whole);
          expect(run([...input].map((byte) => Buffer.of(byte)))).toEqual(whole);
          expect(JSON.parse(whole.toString())).toEqual(marked(JSON.parse(input.toString())));
        },
      ),
    );
  });

  it('neither throws at garbage nor changes it by being cut', () => {
    const garbage = fc
      .array(fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', ',', 'dist', 'tarball', '*', ' '))
      .map((pieces) => Buffer.from(`{"dist":{${pieces.join('')}`));
    fc.assert(
      fc.property(garbage, (input) => {
        expect(push([...input].map((byte) => Buffer.of(byte)))).toEqual(push([input]));
      }),
    );
  });
});

function rewrite(input: string): string {
  return run([Buffer.from(input)]).toString();
}

function run(chunks: readonly Buffer[]): Buffer {
  const rewriter = new JsonStringRewriter(selector, { map: (text) => `<${text}>` });
  const output = chunks.flatMap((chunk) => [...rewriter.push(chunk)]);
  return Buffer.concat([...output, ...rewriter.end()]);
}

/** The output without the verdict on the end; what is held back at the end is missing in both ways. */
function push(chunks: readonly Buffer[]): Buffer {
  const rewriter = new JsonStringRewriter(selector, { map: (text) => `<${text}>` });
  return Buffer.concat(chunks.flatMap((chunk) => [...rewriter.push(chunk)]));
}

function cut(bytes: Buffer, positions: readonly number[]): Buffer[] {
  const sorted = [0, ...positions.map((at) => Math.min(at, bytes.length)), bytes.length];
  sorted.sort((a, b) => a - b);
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

/** Packument-like documents full of keys that look right in wrong places. */
function document(): fc.Arbitrary<unknown> {
  const key = fc.oneof(
    fc.constantFrom('dist', 'tarball', 'versions', '*', '1.0.0', 'a"b', '\\', 'tar\\ball'),
    fc.string({ maxLength: 6 }),
  );
  const { node } = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.oneof(
        fc.string(),
        fc.constantFrom('tarball', '"tarball":"', '\\"', 'é𝒳'),
        fc.double(),
        fc.boolean(),
        fc.constant(null),
      ),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(key, tie('node'), { maxKeys: 4 }),
      fc.record({ tarball: fc.webUrl(), other: tie('node') }),
      fc.record({ dist: fc.record({ tarball: fc.string() }), other: tie('node') }),
    ),
  }));
  return fc.record(
    {
      name: fc.string(),
      dist: node,
      versions: fc.dictionary(key, node, { maxKeys: 4 }),
      tarball: fc.string(),
      other: node,
    },
    { requiredKeys: [] },
  );
}

/** What the rewriter must make of a parsed document. */
function marked(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const copy = markedDist(value);
  if (isRecord(copy.versions)) {
    copy.versions = Object.fromEntries(
      Object.entries(copy.versions).map(([key, version]) => [
        key,
        isRecord(version) ? markedDist(version) : version,
      ]),
    );
  }
  return copy;
}

function markedDist(value: Record<string, unknown>): Record<string, unknown> {
  const { dist } = value;
  if (!isRecord(dist) || typeof dist.tarball !== 'string') return { ...value };
  return { ...value, dist: { ...dist, tarball: `<${dist.tarball}>` } };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

describe('arrays', () => {
  const files = {
    files: { '[]': { url: true, hashes: { sha256: true } } },
    tags: { '[]': true },
  } as const;

  function read(input: string, step = 1e6): { output: string; heard: string[] } {
    const heard: string[] = [];
    const rewriter = new JsonStringRewriter(files, {
      map: (text, key) => {
        heard.push(`${key}=${text}`);
        return `<${text}>`;
      },
      left: (depth) => heard.push(`left ${depth}`),
    });
    const bytes = Buffer.from(input);
    const output: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += step) {
      output.push(...rewriter.push(bytes.subarray(at, at + step)));
    }
    output.push(...rewriter.end());
    return { output: Buffer.concat(output).toString(), heard };
  }

  const input =
    '{"files":[{"url":"a","hashes":{"sha256":"b","md5":"c"}},7,"x",[{"url":"no"}],{"size":1,"url":"d"}], "tags":["e",["f"],"g"],"url":"no"}';
  const output =
    '{"files":[{"url":"<a>","hashes":{"sha256":"<b>","md5":"c"}},7,"x",[{"url":"no"}],{"size":1,"url":"<d>"}], "tags":["<e>",["f"],"<g>"],"url":"no"}';

  it('are entered where the selector says so, and their ends are told', () => {
    const read1 = read(input);
    expect(read1.output).toBe(output);
    expect(read1.heard).toEqual([
      'url=a',
      'sha256=b',
      'left 3',
      'left 2',
      'url=d',
      'left 2',
      'left 1',
      '[]=e',
      '[]=g',
      'left 1',
      'left 0',
    ]);
  });

  it('are read the same wherever the document is cut', () => {
    for (let step = 1; step < 40; step++) expect(read(input, step)).toEqual(read(input));
  });

  it('are not taken for objects with a key of that name', () => {
    expect(read('{"tags":{"[]":"a"},"files":{"[]":{"url":"b"}}}').output).toBe(
      '{"tags":{"[]":"a"},"files":{"[]":{"url":"b"}}}',
    );
  });
});
