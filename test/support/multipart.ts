export interface BodyPart {
  readonly fields: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** Takes a `multipart/byteranges` body apart, strictly. RFC 2046 section 5.1.1, RFC 9110 section 14.6. */
export function partsOf(contentType: string | undefined, body: Buffer): readonly BodyPart[] {
  const boundary = /^multipart\/byteranges; boundary=([0-9a-zA-Z]{1,70})$/.exec(
    contentType ?? '',
  )?.[1];
  if (boundary === undefined) throw new Error(`${contentType} has no boundary`);
  const text = body.toString('latin1');
  const closing = `\r\n--${boundary}--\r\n`;
  if (!text.startsWith(`--${boundary}\r\n`) || !text.endsWith(closing)) {
    throw new Error('the body is not framed by its boundary');
  }
  const inside = text.slice(`--${boundary}\r\n`.length, -closing.length);
  return inside.split(`\r\n--${boundary}\r\n`).map((part) => {
    const end = part.indexOf('\r\n\r\n');
    const lines = part.slice(0, end).split('\r\n');
    const fields = lines.map((line): [string, string] => {
      const colon = line.indexOf(': ');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)];
    });
    return { fields: new Map(fields), body: Buffer.from(part.slice(end + 4), 'latin1') };
  });
}
