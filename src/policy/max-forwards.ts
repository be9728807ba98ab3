import { fieldValue, type RawHeaders } from '../core/raw-headers.ts';

/**
 * Through how many more intermediaries an OPTIONS may go: 0, and whoever has it answers it itself.
 * Undefined: as many as it likes; it says nothing, or nothing that is a number. RFC 9110 section 7.6.2.
 */
export function maxForwards(method: string, headers: RawHeaders): number | undefined {
  const value = method === 'OPTIONS' ? fieldValue(headers, 'max-forwards')?.trim() : undefined;
  if (value === undefined || !/^\d+$/.test(value)) return undefined;
  return Math.min(Number(value), Number.MAX_SAFE_INTEGER);
}
