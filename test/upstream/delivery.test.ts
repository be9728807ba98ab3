import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/core/errors.ts';
import { type Delivered, Delivery, type DeliveryEnd } from '../../src/upstream/delivery.ts';
import { TokenBucket } from '../../src/upstream/token-bucket.ts';
import { FakeResponse } from '../pipeline/fake-response.ts';
import { FakeClock } from '../support/clock.ts';
import { collect } from '../support/collect.ts';

function deliver(more: { rate?: number; idleMs?: number } = {}) {
  const response = new FakeResponse(200, ['ETag', '"a"']);
  const resumes: string[] = [];
  response.resume = () => resumes.push('resume');
  const clock = new FakeClock();
  const ends: [DeliveryEnd, Delivered][] = [];
  const delivery = new Delivery({
    response,
    headers: response.headers,
    attempts: [],
    mirror: 'http://m.test',
    buckets: more.rate === undefined ? [] : [new TokenBucket(more.rate, performance.now())],
    idleMs: more.idleMs,
    after: clock.after,
    ended: (how, seen) => ends.push([how, seen]),
    demoted: () => {},
  });
  const answers: boolean[] = [];
  const taken: string[] = [];
  let flows = true;
  const sink = {
    data: (chunk: Buffer) => {
      taken.push(chunk.toString());
      return flows;
    },
    end: () => taken.push('end'),
    error: ({ code }: GatewayError) => taken.push(code),
  };
  const push = (bytes: number | string) =>
    answers.push(
      delivery.data(typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.alloc(bytes)),
    );
  const pace = (reader: boolean) => {
    flows = reader;
  };
  return { response, delivery, sink, clock, ends, answers, taken, resumes, push, pace };
}

describe('a body on its way', () => {
  it('is passed on and measured, and its end is told once', async () => {
    const { response, delivery, ends } = deliver();
    const body = collect(delivery);
    response.data(Buffer.from('abc'));
    response.data(Buffer.from('d'));
    response.end();
    delivery.abort();
    expect((await body).bytes.toString()).toBe('abcd');
    expect(ends).toEqual([['whole', expect.objectContaining({ bytes: 4, paced: false })]]);
  });

  it('that is here whole is taken at once, and is measured as any other', () => {
    const { response, delivery, ends } = deliver();
    const asked: string[] = [];
    response.takeWhole = (size, take) => size === 3 && take(Buffer.from('abc'));
    const refused = delivery.takeWhole(3, (body) => asked.push(`${body}`) === 0);
    expect([refused, delivery.takeWhole(4, () => true), ends]).toEqual([false, false, []]);
    expect(delivery.takeWhole(3, (body) => asked.push(`${body}`) > 0)).toBe(true);
    delivery.abort();
    expect(asked).toEqual(['abc', 'abc']);
    expect(ends).toEqual([['whole', expect.objectContaining({ bytes: 3, paced: false })]]);
  });

  it('that has to be paid for is not taken at once', () => {
    const { response, delivery, ends } = deliver({ rate: 65_536 });
    response.takeWhole = (_size, take) => take(Buffer.from('abc'));
    expect(delivery.takeWhole(3, () => true)).toBe(false);
    expect(ends).toEqual([]);
  });

  it('that breaks, or that nobody wants any more, ends as such', () => {
    const broken = deliver();
    const error = new GatewayError('http_response_incomplete', 'cut', { origin: 'upstream' });
    broken.delivery.consume(broken.sink);
    broken.delivery.error(error);
    expect(broken.ends[0]?.[0]).toBe(error);
    expect(broken.taken).toEqual(['http_response_incomplete']);
    const left = deliver();
    left.delivery.abort();
    expect(left.ends[0]?.[0]).toBe('abandoned');
    expect(left.response.aborted).toBe(true);
  });

  it('pauses at the socket when its bandwidth is spent, and goes on when that is paid', () => {
    const { delivery, sink, clock, answers, resumes, push } = deliver({ rate: 65_536 });
    delivery.consume(sink);
    push(65_536);
    push(65_536);
    expect(answers).toEqual([true, false]);
    clock.advance(900);
    expect(resumes).toEqual([]);
    clock.advance(200);
    expect(resumes).toEqual(['resume']);
  });

  it('goes on only when both the reader and the bandwidth allow it', () => {
    const { delivery, sink, clock, answers, resumes, push, pace } = deliver({ rate: 65_536 });
    delivery.consume(sink);
    pace(false);
    push(131_072);
    expect(answers).toEqual([false]);
    delivery.resume();
    expect(resumes).toEqual([]);
    clock.advance(1_100);
    expect(resumes).toEqual(['resume']);
    push(65_536);
    clock.advance(2_100);
    expect(resumes).toHaveLength(1);
    delivery.resume();
    expect(resumes).toHaveLength(2);
  });

  it('that is silent for much longer than usual is ended where the rest can be had elsewhere', () => {
    // The watch counts real time between pieces: a limit of nothing is over at once.
    const { delivery, sink, clock, taken, response, ends } = deliver({ idleMs: 0 });
    delivery.consume(sink);
    clock.advance(1);
    expect(taken).toEqual(['connection_read_timeout']);
    expect(response.aborted).toBe(true);
    expect(ends).toHaveLength(1);
  });

  it('that its reader paused is not silent', () => {
    const { delivery, sink, clock, taken, push, pace } = deliver({ idleMs: 60_000 });
    delivery.consume(sink);
    pace(false);
    push('a');
    clock.advance(600_000);
    expect(taken).toEqual(['a']);
  });
});
