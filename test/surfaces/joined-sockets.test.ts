import { type Duplex, duplexPair } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { JoinedSockets, type TunnelEnd } from '../../src/surfaces/joined-sockets.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

interface Joined {
  readonly client: Duplex;
  readonly target: Duplex;
  readonly joined: JoinedSockets;
  readonly moved: { sent: number; received: number };
  end(): TunnelEnd | undefined;
}

/** The far ends of a tunnel. */
function join(idleMs: number): Joined {
  const [client, near] = duplexPair();
  const [far, target] = duplexPair();
  for (const each of [client, target]) each.on('error', () => undefined);
  const moved = { sent: 0, received: 0 };
  const joined = new JoinedSockets(near, far, {
    idleMs,
    sent: (bytes) => {
      moved.sent += bytes;
    },
    received: (bytes) => {
      moved.received += bytes;
    },
  });
  let end: TunnelEnd | undefined;
  void joined.ended.then((how) => {
    end = how;
  });
  return { client, target, joined, moved, end: () => end };
}

/** Lets streams and promises come to rest; timers stand still meanwhile. */
async function rest(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function say(from: Duplex, to: Duplex, text: string): Promise<string> {
  from.write(text);
  await rest();
  return String(to.read());
}

describe('joined connections', () => {
  test('are open while something moves, either way, however long that takes', async () => {
    const { client, target, end } = join(100);
    for (let i = 0; i < 10; i++) {
      vi.advanceTimersByTime(90);
      expect(await say(client, target, 'up')).toBe('up');
      vi.advanceTimersByTime(90);
      expect(await say(target, client, 'down')).toBe('down');
    }
    expect(end()).toBeUndefined();
    vi.advanceTimersByTime(99);
    await rest();
    expect(end()).toBeUndefined();
    vi.advanceTimersByTime(1);
    await rest();
    expect(end()).toBe('idle');
  });

  test('end for each direction by itself, and count what moved', async () => {
    const { client, target, moved, end } = join(100);
    client.end('all');
    await rest();
    expect(String(target.read())).toBe('all');
    expect(await say(target, client, 'more')).toBe('more');
    expect(end()).toBeUndefined();
    target.end();
    client.resume();
    target.resume();
    await rest();
    expect(end()).toBe('whole');
    expect(moved).toEqual({ sent: 3, received: 4 });
  });

  test('end sooner when they are to hurry, and at once when they are cut', async () => {
    const hurried = join(100);
    hurried.joined.hurry(10);
    vi.advanceTimersByTime(9);
    expect(await say(hurried.client, hurried.target, 'up')).toBe('up');
    vi.advanceTimersByTime(9);
    await rest();
    expect(hurried.end()).toBeUndefined();
    vi.advanceTimersByTime(1);
    await rest();
    expect(hurried.end()).toBe('idle');

    const cut = join(100);
    cut.joined.cut();
    await rest();
    expect(cut.end()).toBe('cut');
    expect(vi.getTimerCount()).toBe(0);
  });
});
