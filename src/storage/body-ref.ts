import type { BodyRef } from '../core/artifact-meta.ts';
import { misuse } from './storage-error.ts';

const sha256Pattern = /^[0-9a-f]{64}$/;

/** A body without bytes is always there: nothing is stored for it. */
export const emptyBody = new Uint8Array(0);

/** Whether the reference can name a body at all; its digest becomes a path, so it must. */
export function isBodyRef(body: BodyRef): boolean {
  return sha256Pattern.test(body.sha256) && Number.isSafeInteger(body.size) && body.size >= 0;
}

/** Throws unless the reference is a SHA-256 in lower-case hexadecimal and a size. */
export function requireBodyRef(body: BodyRef): void {
  if (!isBodyRef(body)) throw misuse('a body needs a SHA-256 in hexadecimal and a size');
}

/** Throws unless a body may be announced with this size. */
export function requireSize(size: number | undefined): void {
  if (size !== undefined && !(Number.isSafeInteger(size) && size >= 0)) {
    throw misuse('the size of a body is a whole number of bytes');
  }
}
