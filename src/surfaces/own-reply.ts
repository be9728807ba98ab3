import type { OwnAnswer } from '../ecosystems/ecosystem.ts';
import type { Answer } from '../pipeline/answer.ts';

/** What the gateway says for itself, complete; `now` in milliseconds since the epoch. */
export function ownReply({ status, headers, body }: OwnAnswer, now: number): Answer {
  const bytes = Buffer.from(body);
  const fields = [
    ...headers,
    'Content-Length',
    String(bytes.length),
    'Cache-Control',
    'no-store',
    'Date',
    new Date(now).toUTCString(),
  ];
  return { status, headers: fields, body: { kind: 'bytes', bytes } };
}
