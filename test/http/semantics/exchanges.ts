import { expect, test } from 'vitest';
import type { CachingConfig, Config } from '../../../src/config/config.ts';
import { fieldValue } from '../../../src/core/raw-headers.ts';
import { overSurfaces, type Setup } from '../../gateway/surfaces.ts';
import { FakeClock } from '../../support/clock.ts';
import type { Handler } from '../../support/http-origin.ts';
import { untilSettled } from '../../support/settled.ts';
import { until } from '../../support/until.ts';

/** Fields of a message; an array value repeats the field. */
export type Fields = Readonly<Record<string, string | readonly string[]>>;

/** What the origin answers: with the `Date` of the moment where it has none of its own. */
export interface Reply {
  readonly status: number;
  readonly fields: Fields;
  readonly body: string;
  /** Seconds until it comes. */
  readonly delay?: number;
}

/** One request of a client, what the origin says to it, and what both must see. */
export interface Exchange {
  /** Seconds since the exchange before. */
  readonly after?: number;
  readonly method?: string;
  /** `/a` without it. */
  readonly path?: string;
  readonly send?: Fields;
  readonly content?: string;
  /**
   * What the origin answers, request by request. Without it the origin must not be asked. `gone`: it
   * is out of reach from now on; `silent`: it takes the request, and that is all.
   */
  readonly origin?: Reply | readonly Reply[] | 'gone' | 'silent';
  /** The origin is asked behind the client's back, and what is stored changes by it. */
  readonly behind?: boolean;
  /** Combined fields, in lower case, of the first request that the origin sees; undefined: absent. */
  readonly asked?: Readonly<Record<string, string | undefined>>;
  /** What the client sees, where that is not the last response that it was given for the path. */
  readonly gets?: Expected;
}

export interface Expected {
  readonly status?: number;
  readonly body?: string | RegExp;
  /** Combined values, names in lower case; undefined: absent. */
  readonly fields?: Readonly<Record<string, string | RegExp | undefined>>;
}

/** The moment of the first exchange. */
const start = new FakeClock().now();

/** An HTTP-date, seconds from the first exchange. */
export function date(seconds: number): string {
  return new Date(start + seconds * 1000).toUTCString();
}

export function reply(status: number, fields: Fields, body = 'one'): Reply {
  return { status, fields, body };
}

export function ok(fields: Fields, body = 'one'): Reply {
  return reply(200, fields, body);
}

/** A 200 with this `Cache-Control`. */
export function page(cacheControl: string, fields: Fields = {}, body = 'one'): Reply {
  return ok({ 'Cache-Control': cacheControl, ...fields }, body);
}

export function notModified(fields: Fields = {}): Reply {
  return reply(304, fields, '');
}

/** What stands in for the first response where the origin is asked again. */
export const another = page('no-store', {}, 'another');

/** Runs each named row below a mount and through the forward proxy, with time that the rows move. */
export function rows(
  name: string,
  table: Readonly<Record<string, readonly Exchange[]>>,
  settings: Partial<CachingConfig> & Partial<Pick<Config, 'timeouts'>> = {},
): void {
  overSurfaces(name, (setup) => {
    for (const [behaviour, exchanges] of Object.entries(table)) {
      test(behaviour, async () => {
        const clock = new FakeClock();
        const made = await setup({ now: clock.now, config: settings, mountSettings: settings });
        const seen = new Map<string, Reply>();
        for (const [index, exchange] of exchanges.entries()) {
          clock.advance((exchange.after ?? 0) * 1000);
          await play(made, exchange, `exchange ${index + 1}`, { seen, clock });
        }
      });
    }
  });
}

interface Playing {
  /** What the last GET of each path was answered with. */
  readonly seen: Map<string, Reply>;
  readonly clock: FakeClock;
}

async function play(
  { origin, gateway, at }: Setup,
  exchange: Exchange,
  what: string,
  { seen, clock }: Playing,
): Promise<void> {
  const { path = '/a', method = 'GET', send = {}, content, asked = {}, gets = {} } = exchange;
  const replies = repliesOf(exchange);
  if (exchange.origin === 'gone') await origin.close();
  const silent = exchange.origin === 'silent';
  origin.handle(path, silent ? () => undefined : answering([...replies], clock));
  const before = origin.requests.length;
  const about = `/api/entries?url=${encodeURIComponent(origin.url + path)}`;
  const stored = async () => JSON.stringify(await gateway.admin(about));
  const storedBefore = exchange.behind ? await stored() : undefined;
  const answer = await gateway.get(at(path), {
    method,
    headers: mutable(send),
    ...(content !== undefined && { body: content }),
  });
  if (exchange.behind) {
    await until(() => origin.requests.length > before, 'a validation behind the client');
    while ((await stored()) === storedBefore);
  }
  await untilSettled(gateway);
  const requests = origin.requests.slice(before);
  expect(requests.length, `${what}: requests at the origin`).toBe(silent ? 1 : replies.length);
  const [first] = requests;
  const sent = (name: string) => fieldValue(first?.headers ?? [], name);
  expect(pick(asked, sent), `${what}: what the origin is asked`).toEqual(asked);

  const given = replies.findLast((one) => one.status !== 304);
  const last = exchange.behind ? seen.get(path) : (given ?? seen.get(path));
  if (given !== undefined && method === 'GET' && gets.body === undefined) seen.set(path, given);
  const { status = last?.status, body = method === 'HEAD' ? '' : last?.body, fields = {} } = gets;
  const got = { status: answer.status, body: answer.body.toString('latin1') };
  const expected = { status: status ?? 200, body: body ?? 'one' };
  expect(answer.aborted, `${what}: the response is complete`).toBe(false);
  expect({ ...got, ...pick(fields, answer.field) }, `${what}: what the client gets`).toEqual({
    ...matching(expected),
    ...matching(fields),
  });
}

function repliesOf({ origin }: Exchange): readonly Reply[] {
  if (origin === undefined || typeof origin === 'string') return [];
  return 'status' in origin ? [origin] : origin;
}

function answering(replies: Reply[], clock: FakeClock): Handler {
  return (request, response) => {
    const given: Reply = replies.shift() ?? reply(599, {}, 'nobody expected this');
    const { status, fields, body, delay = 0 } = given;
    clock.advance(delay * 1000);
    const flat = Object.entries(fields).flatMap(([name, value]) =>
      [value].flat().flatMap((line) => [name, line]),
    );
    const names = Object.keys(fields).map((name) => name.toLowerCase());
    if (!names.includes('date')) flat.push('Date', new Date(clock.now()).toUTCString());
    const framed = status === 204 || status === 304 || names.includes('transfer-encoding');
    if (!framed) flat.push('Content-Length', String(body.length));
    response.sendDate = false;
    response.writeHead(status, flat);
    request.resume().once('end', () => response.end(Buffer.from(body, 'latin1')));
  };
}

function pick(names: object, value: (name: string) => string | undefined) {
  return Object.fromEntries(Object.keys(names).map((name) => [name, value(name)]));
}

function matching(expected: Readonly<Record<string, string | number | RegExp | undefined>>) {
  const matcher = (value: unknown) =>
    value instanceof RegExp ? expect.stringMatching(value) : value;
  return Object.fromEntries(
    Object.entries(expected).map(([name, value]) => [name, matcher(value)]),
  );
}

function mutable(fields: Fields): Record<string, string | string[]> {
  const copy = ([name, value]: [string, string | readonly string[]]) =>
    [name, typeof value === 'string' ? value : [...value]] as const;
  return Object.fromEntries(Object.entries(fields).map(copy));
}
