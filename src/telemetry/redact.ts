import { serialiseError } from './serialise-error.ts';

const hidden = '***';

/** Deep enough for a chain of causes, bounded for whatever else is handed in. */
const deepest = 8;

/** Most strings need nothing: one test decides. */
const suspicious = /[@=]|bearer|basic|authorization|cookie/i;
const userinfo = /([a-z][a-z0-9+.-]*:\/\/)[^/?#\s]*@/gi;
/** A `;` may separate parameters or belong to the value: it separates where another `=` follows. */
const parameter = /([?&;])([^=&;#\s]+)=[^&;#\s"]*(?:;[^=&;#\s"]*(?=[;&#\s"]|$))*/g;
const fieldInText =
  /\b((?:proxy-)?authorization|(?:set-)?cookie)(["']?\s*[:=]\s*["']?)[^\r\n"']+/gi;
const credentialsInText = /\b(bearer|basic)\s+(?=\S*[\d=._-])[^\s"',]{8,}/gi;
const secretName =
  /token|secret|passw|pwd|api[-_]?key|access[-_]?key|private[-_]?key|auth|signature|credential|session|jwt|(?:^|[-_.])sig$/i;
const secretField =
  /^(?:(?:proxy-)?authorization|(?:set-)?cookie|token|password|secret|debugtoken|millrace-debug)$/i;

/**
 * The text without credentials: userinfo of URLs, parameters whose name says token, password, signature
 * and the like (also percent-encoded names), and what follows `Authorization:`, `Cookie:` or `Bearer`.
 */
export function redactText(text: string): string {
  if (!suspicious.test(text)) return text;
  return text
    .replace(fieldInText, `$1$2${hidden}`)
    .replace(credentialsInText, `$1 ${hidden}`)
    .replace(userinfo, `$1${hidden}@`)
    .replace(parameter, (whole, separator: string, name: string) =>
      secretName.test(decoded(name)) ? `${separator}${name}=${hidden}` : whole,
    );
}

/**
 * The value as it may be written: strings redacted, values of secret fields hidden, at any depth down
 * to eight; errors are serialised; flat header lists (`[name, value, …]`) are recognised by the secret field's name.
 */
export function redactValue(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > deepest) return '…';
  if (Array.isArray(value)) return redactList(value, depth + 1);
  if (value instanceof Error) return redactValue(serialiseError(value), depth);
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  // URL and Date: as JSON would write them.
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return redactValue(value.toJSON(), depth + 1);
  }
  const copy: Record<string, unknown> = {};
  for (const name in value) {
    const member = (value as Record<string, unknown>)[name];
    // Most fields of a request's line are absent or numbers: they cost next to nothing here.
    if (member === undefined) continue;
    copy[name] = isHidden(name)
      ? hidden
      : typeof member === 'number'
        ? member
        : redactValue(member, depth + 1);
  }
  return copy;
}

function redactList(list: readonly unknown[], depth: number): unknown[] {
  return list.map((member, index) => {
    const before = index % 2 === 1 ? list[index - 1] : undefined;
    return typeof before === 'string' && isHidden(before) ? hidden : redactValue(member, depth);
  });
}

function isHidden(name: string): boolean {
  return name.length >= 5 && secretField.test(name);
}

function decoded(name: string): string {
  // A lone `%` is not an encoding; the name is then judged as it stands.
  return name.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
