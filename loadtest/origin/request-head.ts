/** A request without a body, as far as the origin cares. */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  /** Value of `Range` when it is one range with a first position, and not ruled out by `If-Range`. */
  readonly range: { readonly first: number; readonly last: number | undefined } | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly close: boolean;
}

/** Reads a head without its empty line; undefined for what the origin does not speak. */
export function parseRequestHead(
  text: string,
  etag: (target: string) => string | undefined,
): RequestHead | undefined {
  const lines = text.split('\r\n');
  const [method, target, version] = (lines[0] ?? '').split(' ');
  if (method === undefined || target === undefined || version !== 'HTTP/1.1') return undefined;
  const fields = new Map<string, string>();
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    if (colon < 1) return undefined;
    fields.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  if (fields.has('content-length') || fields.has('transfer-encoding')) return undefined;
  const ifRange = fields.get('if-range');
  const ranged = ifRange === undefined || ifRange === etag(target);
  const range = ranged ? /^bytes=(\d+)-(\d*)$/.exec(fields.get('range') ?? '') : null;
  return {
    method,
    target,
    range: range
      ? { first: Number(range[1]), last: range[2] === '' ? undefined : Number(range[2]) }
      : undefined,
    ifNoneMatch: fields.get('if-none-match'),
    close: fields.get('connection')?.toLowerCase() === 'close',
  };
}
