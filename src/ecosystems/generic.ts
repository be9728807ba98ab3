import type { Ecosystem } from './ecosystem.ts';

/** Plain HTTP: every response is kept for as long as it says itself. RFC 9111 section 4.2. */
export const generic: Ecosystem = {
  id: 'generic',
  hosts: [],
  classify: () => ({ kind: 'index', freshness: 'rfc9111' }),
};
