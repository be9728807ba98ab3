import type { BodyReader } from '../core/body.ts';
import type { Answer } from './answer.ts';

/** The answer with its first bytes read: a stored body that cannot be read is found out before there is a head. */
export function withFirstBytes(answer: Answer): Promise<Answer> | Answer {
  const { body } = answer;
  if (body.kind !== 'stream') return answer;
  return primed(body.reader).then((reader) => ({ ...answer, body: { ...body, reader } }));
}

/**
 * A reader whose first bytes have been read: what fails then can still be answered in another way.
 * Rejects as `reader.next` does, and closes the reader.
 */
async function primed(reader: BodyReader): Promise<BodyReader> {
  try {
    return new PrimedReader(reader, await reader.next());
  } catch (error) {
    reader.close();
    throw error;
  }
}

class PrimedReader implements BodyReader {
  readonly #reader: BodyReader;
  #first: Uint8Array | undefined;

  constructor(reader: BodyReader, first: Uint8Array | undefined) {
    this.#reader = reader;
    this.#first = first;
  }

  next(): Promise<Uint8Array | undefined> {
    const first = this.#first;
    if (first === undefined) return this.#reader.next();
    this.#first = undefined;
    return Promise.resolve(first);
  }

  close(): void {
    this.#first = undefined;
    this.#reader.close();
  }
}
