/** What a CONNECT names. */
export interface Authority {
  /** As URLs have it: lower case, IPv6 in brackets, other spellings of IPv4 as four decimals. */
  readonly hostname: string;
  readonly port: number;
}

/**
 * Reads the authority-form of a request target, `host:port`; undefined for everything else. RFC 9112
 * section 3.2.3; RFC 9110 section 9.3.6: the port has to be there and valid.
 */
export function parseAuthority(target: string): Authority | undefined {
  const match = /^([\w.-]+|\[[0-9a-f:.]+\]):(\d{1,5})$/i.exec(target);
  const [, host = '', port = ''] = match ?? [];
  const number = Number(port);
  if (number < 1 || number > 65_535 || !URL.canParse(`http://${host}/`)) return undefined;
  return { hostname: new URL(`http://${host}/`).hostname, port: number };
}
