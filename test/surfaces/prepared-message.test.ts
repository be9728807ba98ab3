import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ByteRange } from '../../src/core/body.ts';
import { contentRange } from '../../src/policy/byte-range.ts';
import { PartHead } from '../../src/surfaces/part-head.ts';
import { PreparedMessage } from '../../src/surfaces/prepared-message.ts';

/** A socket of which the system takes all at once, or nothing until it is told to. */
class Wire {
  taking = true;
  heard = '';
  readonly #waiting: Uint8Array[] = [];

  /** Whether all of it has left. */
  write(bytes: Uint8Array): boolean {
    if (this.taking && this.#waiting.length === 0) {
      this.heard += text(bytes);
      return true;
    }
    this.#waiting.push(bytes);
    return false;
  }

  flush(): void {
    for (const bytes of this.#waiting.splice(0)) this.heard += text(bytes);
  }
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const headOf = (age: string, ttl: string): string => `Age: ${age}\r\nX: é\r\nttl=${ttl}\r\n\r\n`;

function messageOf(age: string, ttl: string): PreparedMessage {
  return new PreparedMessage(headOf(age, ttl), [
    { at: 5, length: age.length },
    { at: 5 + age.length + 2 + 6 + 4, length: ttl.length },
  ]);
}

const seconds = fc.integer({ min: 0, max: 1200 }).map(String);
const bodies = fc.constantFrom('', 'body');
const step = fc.oneof(
  fc.record({ age: seconds, ttl: seconds }),
  fc.record({ whole: fc.boolean() }),
  fc.record({ taking: fc.boolean() }),
);

describe('a message that is sent again and again', () => {
  test('says each time what it said when it was sent, however late the client takes it', () => {
    fc.assert(
      fc.property(bodies, fc.array(step, { maxLength: 60 }), (bodyText, steps) => {
        const body = Buffer.from(bodyText);
        const wire = new Wire();
        let head = headOf('0', '60');
        let message = messageOf('0', '60');
        let expected = '';
        for (const next of steps) {
          if ('taking' in next) {
            wire.taking = next.taking;
            if (next.taking) wire.flush();
          } else if ('age' in next) {
            head = headOf(next.age, next.ttl);
            if (!message.renew([next.age, next.ttl])) message = messageOf(next.age, next.ttl);
          } else {
            const sent = wire.write(next.whole ? message.with(body) : message.head);
            if (!sent) message.lend();
            expected += next.whole ? head + bodyText : head;
          }
        }
        wire.flush();
        expect(wire.heard).toBe(expected);
      }),
    );
  });

  test('makes nothing new of other values of the same length', () => {
    const message = messageOf('10', '50');
    const { head } = message;
    expect(message.renew(['11', '49'])).toBe(true);
    expect(message.head).toBe(head);
    expect(text(head)).toBe(headOf('11', '49'));
    message.with(Buffer.from('body'));
    const joined = message.with(Buffer.from('body'));
    message.renew(['12', '48']);
    expect(message.with(Buffer.from('body'))).toBe(joined);
    expect(text(joined)).toBe(`${headOf('12', '48')}body`);
  });
});

test('the head of a part stays what it was written as while the client has not taken it', () => {
  const size = 123_456;
  const fields = ['A', 'b', 'Content-Length', String(size), 'Via', 'x'];
  const parts = fc
    .tuple(fc.nat(size - 1), fc.nat(size - 1))
    .map(([a, b]): ByteRange => ({ first: Math.min(a, b), last: Math.max(a, b) }));
  const next = fc.record({ part: parts, taking: fc.boolean() });
  fc.assert(
    fc.property(fc.array(next, { maxLength: 40 }), (steps) => {
      const heads = new PartHead(fields, 4, 'End: e\r\n\r\n', size);
      const wire = new Wire();
      let expected = '';
      for (const { part, taking } of steps) {
        wire.taking = taking;
        if (taking) wire.flush();
        if (!wire.write(heads.of(part))) heads.lend();
        const length = `Content-Length: ${part.last - part.first + 1}`;
        const range = `Content-Range: ${contentRange(part, size)}`;
        expected += `HTTP/1.1 206 Partial Content\r\nA: b\r\n${range}\r\n${length}\r\nVia: x\r\nEnd: e\r\n\r\n`;
      }
      wire.flush();
      expect(wire.heard).toBe(expected);
    }),
  );
});
