import type { CacheOutcome } from '../core/outcome.ts';
import type { CacheStatus } from '../core/request-record.ts';
import { serialiseString } from './structured-field.ts';

/** RFC 9111 section 1.2.2: a lifetime too large to say; ours where a response never gets stale. */
const forever = 2_147_483_648;

/**
 * Our entry of the `Cache-Status` field (RFC 9211), such as `millrace; hit; ttl=30` or
 * `millrace; fwd=stale; fwd-status=304; detail=revalidated`. The outcome's name is in each: `hit`
 * itself, the others as `detail`. A RequestRecord will do.
 *
 * Written without the general serialiser, because each hit comes through here: all members but the
 * key are numbers or words of closed lists.
 */
export function cacheStatusField(record: {
  readonly outcome: CacheOutcome;
  readonly cacheStatus: Readonly<CacheStatus>;
  readonly key?: string;
}): string {
  const { hit, fwd, fwdStatus, ttl, stored, collapsed } = record.cacheStatus;
  let field = 'millrace';
  // RFC 9211 section 2: "hit" and "fwd" are mutually exclusive.
  if (fwd !== undefined) {
    field += `; fwd=${fwd}`;
    if (fwdStatus !== undefined) field += `; fwd-status=${fwdStatus}`;
    if (stored === true) field += '; stored';
    // Sections 2.5 and 2.6: both say something of a forwarded request only.
    if (collapsed === true) field += '; collapsed';
  } else if (hit === true || record.outcome === 'hit') {
    field += '; hit';
  }
  if (ttl !== undefined) field += `; ttl=${Math.trunc(Math.min(forever, Math.max(-forever, ttl)))}`;
  // Section 2.7.
  if (record.key !== undefined) field += `; key=${serialiseString(printable(record.key))}`;
  if (record.outcome !== 'hit') field += `; detail=${record.outcome}`;
  return field;
}

/** A String has ASCII only: other bytes of a URL are percent-encoded. RFC 9651 section 3.3.3. */
function printable(url: string): string {
  return url.replace(
    /[^\x20-\x7e]/g,
    (char) => `%${Buffer.from(char, 'latin1').toString('hex').toUpperCase()}`,
  );
}
