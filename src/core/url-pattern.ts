import { canonicalUrl, hasDotSegments, originOf, pathOf } from './canonical-url.ts';

/** What the captures of a pattern found, by name. */
export type Captures = Readonly<Record<string, string>>;

/** A URL with captures in its path: `https://host/{owner}/{path*}`. */
export interface UrlPattern {
  /** Names of its captures, in order. */
  readonly names: readonly string[];
  /** `https://host:port` of all that it matches. */
  readonly origin: string;
  /** What a canonical URL has in their places; undefined when it does not match. */
  match(url: string): Captures | undefined;
}

/** A URL to be made from captures. */
export interface UrlTemplate {
  readonly names: readonly string[];
  /** `https://host:port` of all that it makes. */
  readonly origin: string;
  /** The canonical URL; undefined where a capture would lead out of the place it stands in. */
  expand(captures: Captures): string | undefined;
}

export type Compiled<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string };

type Part = string | { readonly name: string; readonly rest: boolean };

/**
 * Reads a pattern: a whole http(s) URL whose path may hold `{name}`, a part of one segment, and as
 * the last one `{name*}`, the rest of the path. A `{name}` ends at the character that follows it, so
 * that matching takes one pass whatever the URL. URLs with a query never match.
 */
export function compilePattern(text: string): Compiled<UrlPattern> {
  const read = readParts(text);
  if (!read.ok) return read;
  const parts = read.value;
  const names: string[] = [];
  let source = '^';
  for (const [at, part] of parts.entries()) {
    if (typeof part === 'string') {
      source += escaped(part);
      continue;
    }
    if (names.includes(part.name)) return wrong(`has two captures named ${part.name}`);
    names.push(part.name);
    const next = parts[at + 1];
    if (next !== undefined && typeof next !== 'string') {
      return wrong('has two captures with nothing between them');
    }
    if (part.rest && parts.slice(at + 1).some((later) => typeof later !== 'string')) {
      return wrong(`has a capture after {${part.name}*}, which takes the rest`);
    }
    source += part.rest ? '([^?#]+)' : `([^/?#${classEscaped(next?.[0] ?? '')}]+)`;
  }
  const expression = new RegExp(`${source}$`);
  return {
    ok: true,
    value: {
      names,
      origin: originOfParts(parts),
      match(url) {
        const found = expression.exec(url);
        if (found === null) return undefined;
        return Object.fromEntries(names.map((name, at) => [name, found[at + 1] as string]));
      },
    },
  };
}

/** Reads a template: a whole http(s) URL whose path may name captures as `{name}`. */
export function compileTemplate(text: string): Compiled<UrlTemplate> {
  const read = readParts(text);
  if (!read.ok) return read;
  const parts = read.value;
  const names = parts.flatMap((part) => (typeof part === 'string' ? [] : [part.name]));
  const starred = parts.find((part) => typeof part !== 'string' && part.rest);
  if (starred !== undefined)
    return wrong('has a * in a capture: the pattern alone says what it takes');
  return {
    ok: true,
    value: {
      names,
      origin: originOfParts(parts),
      expand(captures) {
        const texts = parts.map((part) => (typeof part === 'string' ? part : captures[part.name]));
        if (texts.includes(undefined)) return undefined;
        const url = canonicalUrl(texts.join(''));
        return url === undefined || hasDotSegments(pathOf(url)) ? undefined : url;
      },
    },
  };
}

/** Literal texts and captures in turn; the first part holds the whole origin and the first slash. */
function readParts(text: string): Compiled<readonly Part[]> {
  if (!/^[!-~]+$/.test(text)) return wrong('has blanks or characters beyond ASCII');
  const start = /^https?:\/\/[^/]+\//i.exec(text)?.[0];
  if (start === undefined) return wrong('is not an http or https URL with a path');
  if (/[{}]/.test(start)) return wrong('has a capture in its host: only the path may have some');
  if (start.includes('@')) return wrong('holds credentials');
  if (canonicalUrl(start) !== start) return wrong('has a host that is not in its usual spelling');
  if (/[?#]/.test(text)) return wrong('has a query or fragment');
  const parts: Part[] = [];
  let literal = start;
  const rest = text.slice(start.length);
  for (const piece of rest.match(/\{[^{}]*\}|[^{}]+|[{}]/g) ?? []) {
    if (piece === '{' || piece === '}') return wrong(`has a ${piece} without its counterpart`);
    if (!piece.startsWith('{')) {
      literal += piece;
      continue;
    }
    const [, name, star] = /^\{([a-z][a-zA-Z0-9]*)(\*?)\}$/.exec(piece) ?? [];
    if (name === undefined) return wrong(`has ${piece}, which is not a name of letters and digits`);
    if (literal !== '') parts.push(literal);
    literal = '';
    parts.push({ name, rest: star === '*' });
  }
  if (literal !== '') parts.push(literal);
  return { ok: true, value: parts };
}

function originOfParts([first]: readonly Part[]): string {
  return originOf(canonicalUrl(first as string) as string);
}

function escaped(literal: string): string {
  return literal.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

function classEscaped(character: string): string {
  return character === '/' ? '' : character.replace(/[\]\\^-]/g, '\\$&');
}

function wrong(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}
