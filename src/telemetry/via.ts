/** The name in `Via` of responses, where nobody needs to tell one gateway from another. */
export const viaName = 'millrace';

/**
 * The name that one instance adds to requests, `millrace-<id>`: it finds itself by it. `id` is any
 * text; only letters and digits of it are used. RFC 9110 section 7.6.3: received-by may be a pseudonym.
 */
export function viaPseudonym(id: string): string {
  const plain = id.replace(/[^A-Za-z0-9]/g, '');
  if (plain === '') throw new TypeError('An instance id needs a letter or a digit');
  return `${viaName}-${plain}`;
}

/**
 * The combined `Via` value with our entry at the end. `httpVersion` is that of the message that was
 * received, as Node says it (`1.1`). RFC 9110 section 7.6.3.
 */
export function appendVia(
  existing: string | undefined,
  httpVersion = '1.1',
  name: string = viaName,
): string {
  const entry = `${httpVersion} ${name}`;
  return existing === undefined || existing.trim() === '' ? entry : `${existing}, ${entry}`;
}

/** Whether a request has been through this instance before; comments are not looked into. */
export function viaLoops(existing: string | undefined, pseudonym: string): boolean {
  if (existing === undefined || !existing.includes(pseudonym)) return false;
  return withoutComments(existing)
    .split(',')
    .some((entry) => entry.trim().split(/\s+/)[1] === pseudonym);
}

/** RFC 9110 section 5.6.5: comments nest and may hold quoted pairs. */
function withoutComments(value: string): string {
  let depth = 0;
  let kept = '';
  for (let i = 0; i < value.length; i++) {
    const character = value[i];
    if (character === '(') depth++;
    else if (character === ')' && depth > 0) depth--;
    else if (depth > 0 && character === '\\') i++;
    else if (depth === 0) kept += character;
  }
  return kept;
}
