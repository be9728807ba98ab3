/** What ends a head. */
export const headEnd = '\r\n\r\n';

/** Of a request of which the parser makes one, whatever becomes of it. */
const requestLine = /^(?:GET|HEAD) (?:http:\/)?\/[!-~]+ HTTP\/1\.1$/;

/**
 * How many heads without a body a chunk is, or undefined where there is anything else. `isSimple`:
 * whether field lines end where they seem to, and no body follows them.
 */
export function simpleHeads(
  chunk: Buffer,
  isSimple: (block: string) => boolean,
): number | undefined {
  let heads = 0;
  for (let start = 0; start < chunk.length; heads += 1) {
    const end = chunk.indexOf(headEnd, start, 'latin1');
    const lineEnd = chunk.indexOf('\r\n', start, 'latin1');
    if (end === -1 || lineEnd >= end) return undefined;
    if (!requestLine.test(chunk.toString('latin1', start, lineEnd))) return undefined;
    if (!isSimple(chunk.toString('latin1', lineEnd + 2, end))) return undefined;
    start = end + headEnd.length;
  }
  return heads;
}

/** The method and the target of such a line. */
export function partsOf(
  line: string,
): { readonly method: string; readonly url: string } | undefined {
  if (!requestLine.test(line)) return undefined;
  const [method = '', url = ''] = line.split(' ', 2);
  return { method, url };
}
