import type { BodyRef } from '../../core/artifact-meta.ts';
import type { LowerStore } from '../lower-store.ts';

/** A store whose medium cannot be used at all: every call fails fast, health says why. */
export function createUnusableStore(name: string, maxBytes: number, failure: Error): LowerStore {
  const fail = () => Promise.reject(failure);
  return {
    peek: () => undefined,
    peekBody: (_body: BodyRef) => undefined,
    peekReader: () => undefined,
    peekPart: () => undefined,
    get: fail,
    put: fail,
    openBody: fail,
    begin: fail,
    leftovers: async () => [],
    delete: fail,
    purge: fail,
    touch: () => undefined,
    listen: () => undefined,
    stats: () => ({ name, entries: 0, bytes: 0, maxBytes, partialBytes: 0, evictions: 0 }),
    health: () => ({ ok: false, reason: failure.message }),
    close: () => Promise.resolve(),
  };
}
