import { expect, it } from 'vitest';
import { generatedBytes } from '../support/generated-bytes.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { get, transportForTest } from './test-transport.ts';

it.each([
  ['at once', 0, 8],
  ['when others have come since', 5, 40],
])(
  'bodies of one connection share memory, and stay as they are until they are given back %s',
  async (_when, later, most) => {
    const origin = await httpOrigin();
    const transport = transportForTest({ connectionsPerOrigin: 1 });
    const memory = new Set<ArrayBufferLike>();
    const waiting: (() => void)[] = [];
    for (let i = 0; i < 200; i++) {
      const size = 3_000 + ((i * 7_919) % 30_000);
      origin.serve(`/${i}`, { body: { seed: `${i}`, size } });
      const answer = await transport.send(get(`${origin.url}/${i}`));
      const chunks: Buffer[] = [];
      await new Promise<void>((end, error) => {
        answer.consume({ data: (chunk) => chunks.push(chunk) > 0, end, error });
      });
      for (const { buffer } of chunks) memory.add(buffer);
      waiting.push(() => {
        expect(Buffer.concat(chunks).equals(generatedBytes(`${i}`, 0, size))).toBe(true);
        for (const chunk of chunks) answer.giveBack(chunk);
      });
      if (waiting.length > later) waiting.shift()?.();
    }
    for (const giveBack of waiting) giveBack();
    expect(memory.size).toBeLessThan(most);
  },
);
