import { generatedBytes } from '../../../support/generated-bytes.ts';

/** Length of each resource; the last ones come in many pieces. */
const sizes = [0, 1, 10, 1000, 16_000, 70_000, 70_001, 300_000, 1_000_000] as const;

/** How many there are whose bytes are known: `/files/e0`, `/files/e1`, … */
export const exactCount = sizes.length;

/** One resource of the origin: its bytes, and all lengths of it that a response declared complete. */
export class ExactResource {
  readonly name: string;
  readonly body: Buffer;
  /** Its own, and those that malformed responses have made of it. */
  readonly lengths = new Set<number>();

  constructor(index: number) {
    const size = sizes[index] ?? 0;
    this.name = `e${index}`;
    this.body = generatedBytes(this.name, 0, size);
    this.lengths.add(size);
  }

  /** Whether these are the bytes from a position on. */
  holds(bytes: Buffer, position = 0): boolean {
    return this.body.subarray(position, position + bytes.length).equals(bytes);
  }
}

/** All resources whose bytes are known, by name. */
export function exactResources(): ReadonlyMap<string, ExactResource> {
  const list = Array.from(sizes, (_, index) => new ExactResource(index));
  return new Map(list.map((resource) => [resource.name, resource]));
}

/** The name in a path or URL: `/files/e3?x` is `e3`. */
export function nameIn(target: string): string | undefined {
  return /\/files\/([\w-]+)(?:\?|$)/.exec(target)?.[1];
}
