/**
 * Whether a response in this content coding is acceptable: named (or covered by `*`) in
 * `Accept-Encoding` with a weight other than 0. Without the field only identity is assumed. RFC 9110
 * section 12.5.3.
 */
export function acceptsCoding(acceptEncoding: string | undefined, coding: string): boolean {
  let wildcard = false;
  for (const member of (acceptEncoding ?? '').split(',')) {
    const [name = '', ...parameters] = member.split(';').map((part) => part.trim().toLowerCase());
    const refused = parameters.some((parameter) => /^q=0(\.0{0,3})?$/.test(parameter));
    if (name === coding) return !refused;
    if (name === '*') wildcard = !refused;
  }
  return wildcard;
}
