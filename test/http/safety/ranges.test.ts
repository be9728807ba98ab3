import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Step } from './conversations.ts';
import { bigBytes, compare, setup } from './two-gateways.ts';

/** Of a body in a file, one in memory, two that have next to nothing, and one that is no 200. */
const sizes = { big: bigBytes, middle: 20_000, a: 1, empty: 0, gone: 4 };

/** `place`: of the range among the field lines. */
function request(path: string, range: string | undefined, method = 'GET', place = 1): string {
  const lines = ['Host: x', 'Accept: */*'];
  if (range !== undefined) lines.splice(place, 0, `Range: bytes=${range}`);
  return `${method} /files/${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

const rangeOf = (size: number): fc.Arbitrary<string | undefined> => {
  const position = fc.oneof(fc.nat(size + 2), fc.constantFrom(0, size - 1, size).map(Math.abs));
  return fc.oneof(
    { weight: 8, arbitrary: fc.tuple(position, position).map(([a, b]) => `${a}-${b}`) },
    { weight: 2, arbitrary: position.map((first) => `${first}-`) },
    { weight: 2, arbitrary: position.map((last) => `-${last}`) },
    { weight: 2, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom('-', '0-0,1-2', '1', '99999999999999999-', '00-01') },
  );
};

const asked = fc.constantFrom(...(Object.keys(sizes) as (keyof typeof sizes)[])).chain((path) =>
  fc.record({
    path: fc.constant(path),
    range: rangeOf(sizes[path]),
    method: fc.oneof(
      { weight: 9, arbitrary: fc.constant('GET') },
      { weight: 1, arbitrary: fc.constant('HEAD') },
    ),
    place: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.nat(2) }),
  }),
);

const step = fc.array(asked, { minLength: 1, maxLength: 3 }).map(
  (requests): Step => ({
    pieces: [requests.map((one) => request(one.path, one.range, one.method, one.place)).join('')],
    methods: requests.map(({ method }) => method),
    pause: 100,
  }),
);

/** Answers that were repeated without being read. */
async function prepared({ fast }: Awaited<ReturnType<typeof setup>>): Promise<number> {
  const { body } = await fast.client.send(`${fast.adminUrl}/metrics`);
  return Number(/\{cache="prepared",result="hit"\} (\d+)/.exec(body.toString())?.[1]);
}

test('whichever ranges are asked for, both paths answer the same', {
  timeout: 120_000,
}, async () => {
  const gateways = await setup();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
      await compare(gateways, steps);
    }),
    { numRuns: 60 },
  );
  expect(await prepared(gateways)).toBeGreaterThan(60);
});

test.each(['big', 'middle'] as const)(
  'after a few of them, ranges of /%s are not read',
  async (path) => {
    const gateways = await setup();
    const ranges = ['0-9', '5-', '10-19', '-7', '100-15000', '0-0', '1-9999'];
    const steps = ranges.map(
      (range): Step => ({ pieces: [request(path, range)], methods: ['GET'], pause: 1 }),
    );
    const whole: Step = { pieces: [request(path, undefined)], methods: ['GET'], pause: 1 };
    const heard = await compare(gateways, [whole, whole, whole, ...steps, whole]);
    expect(heard.match(/HTTP\/1\.1 206 Partial Content/g)).toHaveLength(ranges.length);
    expect(heard).toContain(`Content-Range: bytes 5-${sizes[path] - 1}/${sizes[path]}`);
    expect(await prepared(gateways)).toBeGreaterThan(0);
  },
);

test('what was learnt from a range is as good for the whole', async () => {
  const gateways = await setup();
  const one = (range?: string): Step => ({
    pieces: [request('middle', range)],
    methods: ['GET'],
    pause: 1,
  });
  const heard = await compare(gateways, [one(), one('1-2'), one('3-4'), one(), one('5-6'), one()]);
  expect(heard.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3);
  expect(await prepared(gateways)).toBeGreaterThan(0);
});
