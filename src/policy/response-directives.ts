import { fieldLines, type RawHeaders } from '../core/raw-headers.ts';
import { type Directive, deltaSeconds, maxDeltaSeconds, parseDirectives } from './cache-control.ts';
import { parseDictionary, type StructuredItem } from './structured-dictionary.ts';

/** What a response says to a shared cache. RFC 9111 section 5.2.2, RFC 5861. Durations in seconds. */
export interface ResponseDirectives {
  readonly noStore: boolean;
  /**
   * The qualified forms count as the unqualified ones, as sections 5.2.2.4 and 5.2.2.7 leave open:
   * the listed fields then never reach a client that the origin has not answered.
   */
  readonly noCache: boolean;
  readonly private: boolean;
  readonly public: boolean;
  readonly mustUnderstand: boolean;
  readonly mustRevalidate: boolean;
  readonly proxyRevalidate: boolean;
  readonly maxAge: number | undefined;
  readonly sMaxage: number | undefined;
  readonly staleWhileRevalidate: number | undefined;
  readonly staleIfError: number | undefined;
  /** They come from a targeted field: `Expires` is ignored too. RFC 9213 section 2.2. */
  readonly targeted: boolean;
}

type Draft = { -readonly [K in keyof ResponseDirectives]: ResponseDirectives[K] };

/**
 * The directives that govern a response: those of the first valid, non-empty targeted field (names in
 * lower case, by precedence), else those of Cache-Control. RFC 9213 section 2.2.
 */
export function responseDirectives(
  headers: RawHeaders,
  targetedFields: readonly string[],
): ResponseDirectives {
  for (const name of targetedFields) {
    const directives = fromTargetedField(fieldLines(headers, name));
    if (directives) return directives;
  }
  const draft = emptyDraft(false);
  for (const line of fieldLines(headers, 'cache-control')) {
    for (const directive of parseDirectives(line)) apply(draft, directive);
  }
  return draft;
}

function emptyDraft(targeted: boolean): Draft {
  return {
    noStore: false,
    noCache: false,
    private: false,
    public: false,
    mustUnderstand: false,
    mustRevalidate: false,
    proxyRevalidate: false,
    maxAge: undefined,
    sMaxage: undefined,
    staleWhileRevalidate: undefined,
    staleIfError: undefined,
    targeted,
  };
}

/** RFC 9111 section 4.2.1: of repeated directives the first counts. */
function apply(draft: Draft, directive: Directive): void {
  switch (directive.name) {
    case 'no-store':
      draft.noStore = true;
      break;
    case 'no-cache':
      draft.noCache = true;
      break;
    case 'private':
      draft.private = true;
      break;
    case 'public':
      draft.public = true;
      break;
    case 'must-understand':
      draft.mustUnderstand = true;
      break;
    case 'must-revalidate':
      draft.mustRevalidate = true;
      break;
    case 'proxy-revalidate':
      draft.proxyRevalidate = true;
      break;
    case 'max-age':
      draft.maxAge ??= deltaSeconds(directive);
      break;
    case 's-maxage':
      draft.sMaxage ??= deltaSeconds(directive);
      break;
    case 'stale-while-revalidate':
      draft.staleWhileRevalidate ??= deltaSeconds(directive);
      break;
    case 'stale-if-error':
      draft.staleIfError ??= deltaSeconds(directive);
      break;
  }
}

/** RFC 9213 section 2.1; undefined when the field is absent, empty or invalid, and so to be ignored. */
function fromTargetedField(lines: readonly string[]): ResponseDirectives | undefined {
  if (lines.length === 0) return undefined;
  const members = parseDictionary(lines.join(', '));
  if (!members || members.size === 0) return undefined;
  const draft = emptyDraft(true);
  for (const [name, item] of members) {
    const directive = fromMember(name, item);
    if (!directive) return undefined;
    apply(draft, directive);
  }
  return draft;
}

/**
 * RFC 9213 section 2.1: a value that is not of its directive's type is not to be consumed; undefined
 * then. Extensions may be of any type, nothing reads them.
 */
function fromMember(name: string, item: StructuredItem): Directive | undefined {
  switch (name) {
    case 'max-age':
    case 's-maxage':
    case 'stale-while-revalidate':
    case 'stale-if-error': {
      if (item.type !== 'integer') return undefined;
      const argument = String(Math.min(item.value, maxDeltaSeconds));
      return { name, argument, quoted: false };
    }
    case 'no-cache':
    case 'private':
      if (item.type === 'string') return { name, argument: item.value, quoted: true };
      return flag(name, item);
    case 'no-store':
    case 'public':
    case 'must-understand':
    case 'must-revalidate':
    case 'proxy-revalidate':
      return flag(name, item);
    default:
      return { name, argument: undefined, quoted: false };
  }
}

function flag(name: string, item: StructuredItem): Directive | undefined {
  return item.type === 'boolean' && item.value
    ? { name, argument: undefined, quoted: false }
    : undefined;
}
