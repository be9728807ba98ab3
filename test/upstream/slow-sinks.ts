import type { UpstreamResponse } from '../../src/upstream/upstream.ts';

/** Takes a piece a turn of the event loop, and pauses in between; rejects where more comes meanwhile. */
export async function collectPausing(answer: UpstreamResponse): Promise<Buffer> {
  const received: Buffer[] = [];
  let paused = false;
  await new Promise<void>((resolve, reject) => {
    answer.consume({
      data(chunk) {
        if (paused) reject(new Error('data while paused'));
        received.push(chunk);
        paused = true;
        setImmediate(() => {
          paused = false;
          answer.resume();
        });
        return false;
      },
      end: resolve,
      error: reject,
    });
  });
  return Buffer.concat(received);
}

/** Asks for more from within each piece, and says only then that it can take no more; bytes in all. */
export async function countResumingWithin(answer: UpstreamResponse): Promise<number> {
  let size = 0;
  await new Promise<void>((resolve, reject) => {
    answer.consume({
      data(chunk) {
        size += chunk.length;
        answer.resume();
        return false;
      },
      end: resolve,
      error: reject,
    });
  });
  return size;
}
