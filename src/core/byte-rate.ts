import { formatByteSize, parseByteSize } from './byte-size.ts';

/** What a rate may look like, for error messages and documentation. */
export const byteRateHint = 'a rate such as 512KiB/s, 10MiB/s or 1GB/s';

/** Bytes per second of a text such as `10MiB/s`; undefined when it is none (say `byteRateHint`). */
export function parseByteRate(text: string): number | undefined {
  const match = /^(.+[^\s\d]) ?\/ ?s$/i.exec(text.trim());
  return match?.[1] === undefined ? undefined : parseByteSize(match[1]);
}

/** The shortest exact text; `parseByteRate` gives the number back. */
export function formatByteRate(bytesPerSecond: number): string {
  const size = formatByteSize(bytesPerSecond);
  return /\d$/.test(size) ? `${size}B/s` : `${size}/s`;
}
