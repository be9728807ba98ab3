import { createCipheriv, createHash } from 'node:crypto';

const blockSize = 16;
const pieceSize = 256 * 1024;

/** `length` bytes from `position` of an endless pseudo-random body; equal seeds, equal bytes. */
export function generatedBytes(seed: string, position: number, length: number): Buffer {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  const counter = Buffer.alloc(blockSize);
  counter.writeBigUInt64BE(BigInt(Math.floor(position / blockSize)), 8);
  const skip = position % blockSize;
  return createCipheriv('aes-128-ctr', key, counter)
    .update(Buffer.alloc(skip + length))
    .subarray(skip);
}

/** The SHA-256, in lower-case hexadecimal, of the first `size` bytes of that body. */
export function generatedSha256(seed: string, size: number): string {
  const hash = createHash('sha256');
  for (let position = 0; position < size; position += pieceSize) {
    hash.update(generatedBytes(seed, position, Math.min(pieceSize, size - position)));
  }
  return hash.digest('hex');
}
