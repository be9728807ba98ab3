import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/core/errors.ts';
import { compilePattern, compileTemplate } from '../../src/core/url-pattern.ts';
import { createDownloader } from '../../src/upstream/download.ts';
import type { DownloadRequest } from '../../src/upstream/downloader.ts';
import type { MirrorSettings } from '../../src/upstream/mirror-settings.ts';
import { Mirrors } from '../../src/upstream/mirrors.ts';
import type { Transport, UpstreamRequest, UpstreamResponse } from '../../src/upstream/upstream.ts';
import { FakeClock } from '../support/clock.ts';
import { collect } from '../support/collect.ts';
import { request } from './test-download.ts';

interface Reply {
  readonly status?: number;
  readonly headers?: readonly string[];
  readonly body?: string;
  /** Of the fake clock, until the head. */
  readonly ms?: number;
  readonly error?: GatewayError;
}

type Answer = (request: UpstreamRequest) => Reply;

/** A transport whose origins answer by a function, in the time of a fake clock. */
class FakeTransport implements Transport {
  readonly sent: UpstreamRequest[] = [];
  readonly aborted: string[] = [];
  readonly #clock: FakeClock;
  readonly #origins: Readonly<Record<string, Answer>>;

  constructor(clock: FakeClock, origins: Readonly<Record<string, Answer>>) {
    this.#clock = clock;
    this.#origins = origins;
  }

  send(sent: UpstreamRequest, signal?: AbortSignal): Promise<UpstreamResponse> {
    this.sent.push(sent);
    const { origin } = new URL(sent.url);
    const reply = this.#origins[origin]?.(sent);
    if (reply === undefined) throw new Error(`nobody is at ${origin}`);
    const requestTime = this.#clock.now();
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(reply.ms ?? 0, () => {
        const responseTime = this.#clock.now();
        if (reply.error) reject(reply.error);
        else resolve(fakeResponse(sent.url, reply, { requestTime, responseTime }));
      });
      signal?.addEventListener('abort', () => {
        cancel();
        this.aborted.push(origin);
        reject(new GatewayError('client_gone', 'gone', { origin: 'client' }));
      });
    });
  }

  async close(): Promise<void> {}

  /** Origins in the order in which they were asked, by their first letter. */
  get asked(): string {
    return this.sent.map(({ url }) => new URL(url).hostname[0]).join('');
  }
}

function fakeResponse(
  url: string,
  { status = 200, headers = [], body = 'body' }: Reply,
  times: { requestTime: number; responseTime: number },
): UpstreamResponse {
  const length = ['Content-Length', String(body.length)];
  return {
    status,
    headers: [...headers, ...length],
    origin: new URL(url).origin,
    url,
    ...times,
    consume(sink) {
      sink.data(Buffer.from(body));
      sink.end();
    },
    takeWhole: () => false,
    resume() {},
    giveBack() {},
    abort() {},
  };
}

const a = 'http://a.test';
const b = 'http://b.test';
const upstreams = [{ url: a }, { url: b }];
const digest = { algorithm: 'sha256', hex: '0'.repeat(64) } as const;

function setup(origins: Readonly<Record<string, Answer>>, settings: MirrorSettings = {}) {
  const clock = new FakeClock();
  const transport = new FakeTransport(clock, origins);
  const mirrors = new Mirrors(clock.now, settings);
  const downloader = createDownloader(transport, { mirrors, now: clock.now, after: clock.after });
  const fetch = async (path = '/f', more: Partial<DownloadRequest> = {}) => {
    const pending = downloader.fetch(request(a + path, { upstreams, ...more }));
    let settled = false;
    const done = pending.finally(() => {
      settled = true;
    });
    done.catch(() => {});
    // Everything that happens at one moment happens before the clock goes on.
    for (let i = 0; i < 20_000 && !settled; i += 1) {
      await new Promise(setImmediate);
      if (!settled) clock.advance(1);
    }
    const response = await pending;
    return { response, body: (await collect(response)).bytes.toString() };
  };
  return { clock, transport, mirrors, downloader, fetch };
}

function thirdParty(more: Partial<{ trust: 'full' | 'verified' }> = {}): MirrorSettings {
  const pattern = compilePattern(`${a}/{path*}`);
  const template = compileTemplate('http://m.test/{path}');
  if (!pattern.ok || !template.ok) throw new Error('it compiles');
  const target = { template: template.value, trust: 'verified', trusted: true, ...more } as const;
  return { rules: [{ pattern: pattern.value, targets: [target] }] };
}

describe('the fastest mirror', () => {
  it('is found by real traffic, and asked from then on', async () => {
    const { transport, fetch } = setup({ [a]: () => ({ ms: 80 }), [b]: () => ({ ms: 10 }) });
    for (let i = 0; i < 10; i += 1) await fetch();
    expect(transport.asked).toBe('abbbbbbbbb');
  });

  it('that becomes ten times slower is left within ten requests', async () => {
    let ms = 10;
    const { transport, fetch } = setup({ [a]: () => ({ ms }), [b]: () => ({ ms: 40 }) });
    for (let i = 0; i < 20; i += 1) await fetch();
    expect(transport.asked.slice(-5)).toBe('aaaaa');
    ms = 100;
    const before = transport.sent.length;
    for (let i = 0; i < 20; i += 1) await fetch();
    expect(transport.asked.slice(before + 10)).not.toContain('aa');
    expect(transport.asked.slice(before + 10).replaceAll('a', '').length).toBeGreaterThanOrEqual(9);
  });

  it('that answers 503 at once is left within ten requests, and no client sees it', async () => {
    let status = 200;
    const { transport, fetch } = setup({
      [a]: () => ({ status, ms: 1 }),
      [b]: () => ({ ms: 50 }),
    });
    for (let i = 0; i < 10; i += 1) await fetch();
    status = 503;
    const before = transport.sent.length;
    for (let i = 0; i < 12; i += 1) expect((await fetch()).response.status).toBe(200);
    const afterwards = transport.asked.slice(before);
    expect(afterwards.replaceAll('b', '').length).toBeLessThanOrEqual(4);
    expect(afterwards.endsWith('bbbbb')).toBe(true);
  });

  it('is not asked for documents that change: these come in the configured order', async () => {
    const { transport, fetch } = setup({ [a]: () => ({ ms: 80 }), [b]: () => ({ ms: 1 }) });
    for (let i = 0; i < 5; i += 1) await fetch('/f', { order: 'configured' });
    expect(transport.asked).toBe('aaaaa');
  });

  it('is asked for at most one request in ten only to learn of it', async () => {
    const { transport, fetch } = setup({ [a]: () => ({ ms: 20 }), [b]: () => ({ ms: 21 }) });
    for (let i = 0; i < 50; i += 1) await fetch();
    expect(transport.asked.replaceAll('a', '').length).toBeLessThanOrEqual(6);
  });
});

it.each([
  ['429 Retry-After', 429, ['Retry-After', '60'], 60_000],
  ['503 with a date', 503, ['Retry-After', 'Thu, 01 Jan 2026 00:02:00 GMT'], 110_000],
])('%s is honoured', async (_what, status, headers, ms) => {
  let limited = true;
  const { clock, transport, fetch } = setup({
    [a]: () => (limited ? { status, headers } : { ms: 1 }),
    [b]: () => ({ ms: 30 }),
  });
  await fetch();
  limited = false;
  clock.advance(ms - 1_000);
  await fetch();
  expect(transport.asked).toBe('abb');
  clock.advance(20_000);
  await fetch();
  expect(transport.asked).toBe('abba');
});

it('a 404 of a mirror is not the last word: that is the origin’s', async () => {
  const { fetch, transport } = setup({ [a]: () => ({ ms: 50 }), [b]: () => ({ status: 404 }) });
  await fetch();
  expect((await fetch()).response).toMatchObject({ status: 200, origin: a });
  expect(transport.asked).toBe('aba');
});

describe('a mirror of somebody else', () => {
  const m = 'http://m.test';
  const secrets = ['Authorization', 'Bearer s', 'Cookie', 'c=s', 'Proxy-Authorization', 'Basic s'];
  const alone = { upstreams: [{ url: a }] };

  it('serves what a digest proves, and gets no field that could hold a credential', async () => {
    const { fetch, transport } = setup(
      {
        [a]: () => ({ ms: 90 }),
        [m]: () => ({ ms: 1, headers: ['Set-Cookie', 'a=b', 'ETag', '"m"'] }),
      },
      thirdParty(),
    );
    const headers = ['X-Api-Key', 's', 'User-Agent', 'u', 'Accept-Encoding', 'gzip'];
    await fetch('/f', { ...alone, digest, headers });
    const { response } = await fetch('/f', { ...alone, digest, headers });
    expect(response).toMatchObject({ origin: m, mirror: m });
    expect(response.headers).toEqual(['ETag', '"m"', 'Content-Length', '4']);
    expect(transport.sent[1]?.headers).toEqual(['User-Agent', 'u', 'Accept-Encoding', 'identity']);
  });

  it.each([
    ['without a digest or validator', {}],
    ['with credentials', { digest, headers: secrets }],
    [
      'with credentials of the operator',
      { digest, upstreams: [{ url: a, authorization: 'Basic s' }] },
    ],
    ['to validate a copy', { digest, headers: ['If-None-Match', '"a"'] }],
    ['for a document that changes', { digest, order: 'configured' }],
  ] as const)('is not asked %s', async (_what, more) => {
    const { fetch, transport, downloader } = setup({ [a]: () => ({ ms: 90 }) }, thirdParty());
    for (let i = 0; i < 3; i += 1) await fetch('/f', { ...alone, ...more });
    expect(transport.asked).toBe('aaa');
    const { excluded, mode } = downloader.explain(request(`${a}/f`, { ...alone, ...more }));
    expect({ mode, excluded }).toEqual({
      mode: 'only',
      excluded: [{ origin: m, reason: expect.any(String) }],
    });
  });

  it('is passed over when it has nothing, something else, or another coding', async () => {
    const replies: Reply[] = [
      { status: 404 },
      { status: 403 },
      { status: 206 },
      { headers: ['Content-Encoding', 'gzip'] },
    ];
    for (const reply of replies) {
      const { fetch, transport } = setup(
        { [a]: () => ({ ms: 90 }), [m]: () => reply },
        thirdParty(),
      );
      await fetch('/f', { ...alone, digest });
      expect((await fetch('/f', { ...alone, digest })).response.origin).toBe(a);
      expect(transport.asked).toBe('ama');
    }
  });

  it('never answers in place of an origin that fails', async () => {
    const { fetch } = setup(
      { [a]: () => ({ status: 503, ms: 5 }), [m]: () => ({ status: 404 }) },
      thirdParty(),
    );
    expect((await fetch('/f', { ...alone, digest })).response).toMatchObject({
      status: 503,
      origin: a,
    });
  });
});

it('an upstream that is to be verified never sees a query', async () => {
  const { fetch, transport } = setup({ [a]: () => ({ ms: 90 }), [b]: () => ({}) });
  const verified = [{ url: a }, { url: b, trust: 'verified' as const }];
  for (let i = 0; i < 3; i += 1) await fetch('/f?token=s', { upstreams: verified, digest });
  expect(transport.asked).toBe('aaa');
  await fetch('/f', { upstreams: verified, digest });
  expect(transport.asked).toBe('aaab');
});

describe('a segment', () => {
  const headers = ['Range', 'bytes=4-7', 'If-Range', '"v"'];
  const part = ['Content-Range', 'bytes 4-7/8', 'ETag', '"v"'];
  const right = () => ({ status: 206, headers: part, ms: 50 });

  it.each<[string, Reply, string]>([
    ['the whole', { status: 200 }, 'changed-validator'],
    [
      'the whole of the same representation',
      { status: 200, headers: ['ETag', '"v"'] },
      'ignored-range',
    ],
    [
      'another part',
      { status: 206, headers: ['Content-Range', 'bytes 0-3/8', 'ETag', '"v"'] },
      'ignored-range',
    ],
    ['no Content-Range', { status: 206, headers: ['ETag', '"v"'] }, 'ignored-range'],
    [
      'a part of another length',
      { status: 206, headers: ['Content-Range', 'bytes 4-7/9', 'ETag', '"v"'] },
      'changed-validator',
    ],
    [
      'a part of another representation',
      { status: 206, headers: ['Content-Range', 'bytes 4-7/8', 'ETag', '"w"'] },
      'changed-validator',
    ],
    ['a range out of bounds', { status: 416 }, 'changed-validator'],
  ])(
    'that turns out to be %s is asked for elsewhere, and that mirror no more for this object',
    async (_what, reply, fault) => {
      const { fetch, transport, mirrors } = setup({ [a]: right, [b]: () => reply });
      const avoid = new Set<string>();
      const more = { headers, avoid, size: 8, order: 'configured' } as const;
      await fetch('/f', more);
      expect((await fetch('/f', more)).response).toMatchObject({ status: 206, origin: a });
      expect(transport.asked).toBe('aba');
      expect([...avoid]).toEqual([b]);
      const figures = mirrors.figures().mirrors.find(({ origin }) => origin === b);
      expect(figures).toMatchObject({ state: 'closed', faults: { [fault]: 1 } });
      await fetch('/f', more);
      expect(transport.asked).toBe('abaa');
    },
  );

  it('that is refused waits for nobody else: another one can be asked for instead', async () => {
    const { fetch, transport, mirrors, downloader } = setup(
      { [a]: () => ({ status: 503 }), [b]: right },
      { concurrency: 1 },
    );
    await mirrors.gates.enter(b, { key: 'other', limit: 1 }, undefined);
    const more = { headers, size: 8 } as const;
    expect(downloader.next(request(`${a}/f`, { upstreams, ...more }))).toBe(a);
    expect((await fetch('/f', more)).response.status).toBe(503);
    expect(transport.asked).toBe('a');
    await mirrors.gates.enter(a, { key: 'other', limit: 1 }, undefined);
    expect(downloader.next(request(`${a}/f`, { upstreams, ...more }))).toBeUndefined();
  });

  it('that is broken off has its place until the mirror has heard of that', async () => {
    const { downloader, clock, mirrors } = setup({ [a]: right, [b]: right });
    const more = { upstreams: [{ url: a }], headers, size: 8 } as const;
    const pending = downloader.fetch(request(`${a}/f`, more));
    await new Promise(setImmediate);
    clock.advance(60);
    (await pending).abort();
    expect(mirrors.gates.active(a)).toBe(1);
    clock.advance(60);
    expect(mirrors.gates.active(a)).toBe(0);
  });

  it('that is refused beside others is no failure, but for the third time in a row', async () => {
    const { fetch, mirrors } = setup({ [a]: () => ({ status: 503 }), [b]: right });
    await mirrors.gates.enter(a, { key: 'other', limit: 9 }, undefined);
    const failures = () => mirrors.figures().mirrors.find(({ origin }) => origin === a)?.failures;
    const more = { headers, size: 8, order: 'configured' } as const;
    for (const seen of [0, 0, 1]) {
      await fetch('/f', { ...more, avoid: new Set([b]) });
      expect(failures()).toBe(seen);
    }
  });

  it('of a mirror of somebody else needs the validator of the origin, or a digest', async () => {
    const m = 'http://m.test';
    const { fetch, transport } = setup({ [a]: right, [m]: right }, thirdParty());
    const alone = { upstreams: [{ url: a }], size: 8 };
    await fetch('/f', { ...alone, headers });
    expect((await fetch('/f', { ...alone, headers })).response.origin).toBe(m);
    await fetch('/f', { ...alone, headers: ['Range', 'bytes=4-7'] });
    expect(transport.asked).toBe('ama');
  });
});

it('wrong bytes pause a mirror at once', async () => {
  const { fetch, mirrors } = setup({ [a]: () => ({ ms: 9 }), [b]: () => ({ ms: 1 }) });
  await fetch();
  const { response } = await fetch();
  expect(response.mirror).toBe(b);
  response.demote('wrong-bytes');
  expect(mirrors.figures().mirrors.find(({ origin }) => origin === b)).toMatchObject({
    state: 'open',
    faults: { 'wrong-bytes': 1 },
  });
  expect((await fetch()).response.mirror).toBe(a);
});

describe('a request that is late', () => {
  async function warm(slow: () => number) {
    const parts = setup({ [a]: () => ({ ms: slow() }), [b]: () => ({ ms: 30 }) });
    for (let i = 0; i < 40; i += 1) await parts.fetch();
    return parts;
  }

  it('is raced on the second best, and the loser is aborted', async () => {
    let ms = 10;
    const { fetch, transport, mirrors } = await warm(() => ms);
    ms = 5_000;
    const before = transport.sent.length;
    expect((await fetch()).response.origin).toBe(b);
    expect(transport.asked.slice(before)).toBe('ab');
    expect(transport.aborted).toEqual([a]);
    expect(mirrors.figures().hedging.hedges).toBe(1);
    expect(mirrors.gates.active(a)).toBe(0);
  });

  it('is raced for one in twenty requests at the most', async () => {
    let slow = false;
    const { fetch, mirrors } = setup({
      [a]: () => ({ ms: slow ? 400 : 10 }),
      [b]: () => ({ ms: 300 }),
    });
    for (let i = 0; i < 200; i += 1) {
      slow = i > 50 && i % 3 === 0;
      await fetch();
    }
    const { requests, hedges } = mirrors.figures().hedging;
    expect(hedges).toBeGreaterThan(0);
    expect(hedges).toBeLessThanOrEqual(requests * 0.05);
  });

  it('is not raced when it is large, conditional, or a document that changes', async () => {
    let ms = 10;
    const { fetch, transport } = await warm(() => ms);
    ms = 500;
    const before = transport.sent.length;
    await fetch('/f', { size: 50_000_000 });
    await fetch('/f', { headers: ['If-None-Match', '"x"'] });
    await fetch('/f', { order: 'configured' });
    expect(transport.aborted).toEqual([]);
    expect(transport.sent.length).toBe(before + 3);
  });
});

describe('places', () => {
  it.each<[string, MirrorSettings, object, number]>([
    [
      'the upstream’s own',
      { concurrency: 5, ecosystemConcurrency: new Map([['npm', 4]]) },
      { concurrency: 3 },
      3,
    ],
    ['its ecosystem’s', { concurrency: 5, ecosystemConcurrency: new Map([['npm', 4]]) }, {}, 4],
    ['the global one', { concurrency: 5 }, {}, 5],
    ['the built-in one', {}, {}, 256],
  ])('%s counts', async (_what, settings, own, limit) => {
    const { fetch, mirrors } = setup({ [a]: () => ({}) }, settings);
    await fetch('/f', { upstreams: [{ url: a, ...own }], purpose: { ecosystem: 'npm' } });
    expect(mirrors.figures().mirrors[0]?.concurrency).toBe(limit);
  });

  it('are not held by an answer that is kept while the same host is asked again', async () => {
    const { fetch } = setup({ [a]: ({ url }) => ({ status: url.includes('/1/') ? 503 : 200 }) });
    const same = [
      { url: `${a}/1`, concurrency: 1 },
      { url: `${a}/2`, concurrency: 1 },
    ];
    const { response } = await fetch('/1/f', { upstreams: same, order: 'configured' });
    expect(response).toMatchObject({ status: 200, url: `${a}/2/f` });
  });

  it('are waited for, never refused', async () => {
    const { downloader, transport, mirrors } = setup({ [a]: () => ({}) }, { concurrency: 2 });
    for (let i = 0; i < 6; i += 1) {
      void downloader.fetch(request(`${a}/${i}`, { upstreams: [{ url: a }] }));
    }
    await new Promise(setImmediate);
    expect(transport.sent).toHaveLength(2);
    expect([mirrors.gates.active(a), mirrors.gates.queued(a)]).toEqual([2, 4]);
  });
});

it('where another mirror can be asked, it waits no longer than the mirror usually takes', async () => {
  const timeouts = { connectMs: 5_000, firstByteMs: 30_000, idleMs: 30_000, floorMs: 200 };
  const { fetch, transport } = setup(
    { [a]: () => ({ ms: 10 }), [b]: () => ({ ms: 90 }) },
    { timeouts },
  );
  for (let i = 0; i < 30; i += 1) await fetch();
  expect(transport.sent.at(-1)?.timeouts).toMatchObject({ firstByteMs: 200 });
  await fetch('/f', { upstreams: [{ url: a }] });
  expect(transport.sent.at(-1)?.timeouts).toBeUndefined();
});
