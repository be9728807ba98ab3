import { gunzipSync } from 'node:zlib';
import type { DigestFinder } from '../core/classification.ts';
import { type Digest, digestFromHex } from '../core/digest.ts';

/** A package's file with all its releases is a few KiB; a larger one than this says nothing. */
const maxPackedBytes = 1024 * 1024;
const maxBytes = 8 * 1024 * 1024;

/**
 * Finds the outer checksum (SHA-256) of a release's tarball in the registry's file of its package:
 * a signed message of protobuf, packed with gzip. hexpm's specifications, `signed.proto` and
 * `package.proto`.
 */
export class OuterChecksumFinder implements DigestFinder {
  readonly #version: string;
  #held: Buffer[] | undefined = [];
  #bytes = 0;

  constructor(version: string) {
    this.#version = version;
  }

  push(chunk: Uint8Array): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes > maxPackedBytes) this.#held = undefined;
    // The caller's chunk is not ours to keep.
    else this.#held?.push(Buffer.from(chunk));
    return this.#held === undefined;
  }

  digest(): Digest | undefined {
    const file = this.#held && unpacked(Buffer.concat(this.#held));
    const payload = file && fieldsOf(file).get(1)?.at(0);
    for (const release of (payload && fieldsOf(payload).get(1)) ?? []) {
      const fields = fieldsOf(release);
      if (fields.get(1)?.at(0)?.toString('utf8') !== this.#version) continue;
      return digestFromHex('sha256', fields.get(5)?.at(0)?.toString('hex') ?? '');
    }
    return undefined;
  }
}

function unpacked(bytes: Buffer): Buffer | undefined {
  // Where the upstream gave gzip as a content coding it is undone already.
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    // Broken, or more than it could be.
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}

/** The fields of a message that have a length, by number; what comes after a fault is left out. */
function fieldsOf(message: Buffer): ReadonlyMap<number, readonly Buffer[]> {
  const fields = new Map<number, Buffer[]>();
  let at = 0;
  while (at < message.length) {
    const [tag, behindTag] = varint(message, at);
    const [value, behind] = varint(message, behindTag);
    const type = tag % 8;
    if (type === 0) at = behind;
    else if (type === 1 || type === 5) at = behindTag + (type === 1 ? 8 : 4);
    else if (type === 2 && behind + value <= message.length) {
      const number = Math.floor(tag / 8);
      const known = fields.get(number) ?? [];
      known.push(message.subarray(behind, behind + value));
      fields.set(number, known);
      at = behind + value;
    } else break;
  }
  return fields;
}

/** A number, and the position behind it. Beyond 53 bits it is no length that could be right. */
function varint(bytes: Buffer, from: number): [number, number] {
  let value = 0;
  for (let at = from; at < bytes.length && at < from + 10; at++) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * (at - from));
    if (byte < 0x80) return [value, at + 1];
  }
  return [Number.POSITIVE_INFINITY, bytes.length];
}
