import { splitList } from './list.ts';

/** The largest delta-seconds that is told apart: 68 years. RFC 9111 section 1.2.2. */
export const maxDeltaSeconds = 2 ** 31;

/** One member of a Cache-Control line. RFC 9111 section 5.2. */
export interface Directive {
  /** In lower case. */
  readonly name: string;
  /** As it stands after `=`, a quoted string without its quotes; undefined when there is no `=`. */
  readonly argument: string | undefined;
  /** The argument was a quoted string. */
  readonly quoted: boolean;
}

/**
 * The directives of one Cache-Control field line, in order. What stands inside the quoted string of
 * another directive is none; lines are read one by one, so that a quote left open ends with its line.
 */
export function parseDirectives(line: string): Directive[] {
  return splitList(line).map(directive);
}

/**
 * Seconds of a directive that takes them. Digits only, as a token; 0 (already stale) for anything
 * else: RFC 9111 section 4.2.1 encourages to take invalid freshness information for stale.
 */
export function deltaSeconds({ argument, quoted }: Directive): number {
  if (argument === undefined || quoted) return 0;
  return parseDeltaSeconds(argument) ?? 0;
}

/** RFC 9111 section 1.2.2: digits only, what is too large becomes 2^31; undefined for other text. */
export function parseDeltaSeconds(text: string): number | undefined {
  if (text === '') return undefined;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return undefined;
  }
  return Math.min(Number(text), maxDeltaSeconds);
}

function directive(member: string): Directive {
  const equals = member.indexOf('=');
  if (equals === -1) return { name: member.toLowerCase(), argument: undefined, quoted: false };
  // Space around `=` is not allowed: the name still counts (a restriction must not get lost), while
  // the space makes the argument no delta-seconds.
  const name = member.slice(0, equals);
  const trimmed = name.trimEnd();
  const text = name === trimmed ? member.slice(equals + 1) : ` ${member.slice(equals + 1)}`;
  const quoted = text.length > 1 && text.startsWith('"') && text.endsWith('"');
  const argument = quoted ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;
  return { name: trimmed.toLowerCase(), argument, quoted };
}
