import type { Digest } from './digest.ts';
import type { RawHeaders } from './raw-headers.ts';

/**
 * How long a stored response is fresh.
 * - `rfc9111`: as the response says
 * - `explicit`: as the response says in so many words; nothing is inferred from when it was modified
 * - `validate`: never without asking the upstream (it may still be served stale on error)
 * - `forever`: the URL's content never changes
 */
export type FreshnessRule = 'rfc9111' | 'explicit' | 'validate' | 'forever';

/** Turns a document's bytes into others in one pass; holds a bounded carry and no more. */
export interface Rewriter {
  /** Output so far; empty when nothing can be said yet. May return views of `chunk`. */
  push(chunk: Uint8Array): readonly Uint8Array[];
  /** What is left. Throws a GatewayError (`http_protocol_error`, upstream) if the document is cut off. */
  end(): readonly Uint8Array[];
}

/** A rewriting that an ecosystem asks for. */
export interface Rewrite {
  /** All that the output depends on besides the document: equal ids, equal bytes. Part of the key. */
  readonly id: string;
  create(): Rewriter;
}

/** Looks for one artifact's digest in a document, in one pass; holds a bounded carry and no more. */
export interface DigestFinder {
  /** Takes the next bytes of the document, its content coding undone; true: enough was seen. */
  push(chunk: Uint8Array): boolean;
  /** What was found so far: one digest, the strongest; undefined where none can be relied upon. */
  digest(): Digest | undefined;
}

/**
 * Where an artifact's digest is published. It is looked up in what is stored under these URLs, in any
 * variant and however stale. Nothing is requested for it without `ask`: a client that knows an
 * artifact's URL has nearly always read the document through the gateway.
 */
export interface DigestSource {
  /** Canonical URLs of the documents that may name the artifact, the likeliest first; a few. */
  readonly urls: readonly string[];
  /**
   * The one of `urls` that is requested where none of them is stored: a small document of this one
   * artifact that clients ask for after it. It is an `index`, good for ever until the artifact is not
   * as it says.
   */
  readonly ask?: string;
  /** A new finder for one document. */
  find(): DigestFinder;
}

/** Reads the SHA-256 that a document gives of many files, in one pass; holds a bounded carry and no more. */
export interface DigestLister {
  /** Takes the next bytes of the document, its content coding and compression undone. */
  push(chunk: Uint8Array): void;
  /** It was the last. */
  end(): void;
}

/** Hears of a file: its name as the document has it, and its SHA-256 in hexadecimal of any case. */
export type TellDigest = (name: string, sha256: string) => void;

/**
 * A document that gives the digests of many files, too large to be searched for each of them: a table
 * is made of it, once for each version.
 */
export interface DigestList {
  /** Tells it from the others with this root; the same for all its versions and compressions. */
  readonly id: string;
  /** Canonical URL of the folder to which names are relative, with its slash. */
  readonly root: string;
  create(tell: TellDigest): DigestLister;
}

/** What one document says of another: without it the two do not fit each other. */
export interface Pin {
  readonly digest: Digest;
  /** Bytes, where that is said. */
  readonly size: number | undefined;
  /** Canonical URL of a name that only these bytes can have: they are kept under it. */
  readonly url: string;
  /** Canonical URLs where the upstreams may have them, in the order in which to ask. */
  readonly places: readonly string[];
}

/** Looks for what a document says of another, in one pass; holds a bounded carry and no more. */
export interface PinFinder {
  /** Takes the next bytes of the document, its content coding undone; true: enough was seen. */
  push(chunk: Uint8Array): boolean;
  /** What was found so far; undefined: it says nothing that can be relied upon. */
  pin(): Pin | undefined;
}

/** The documents that a document has to fit. Nothing is requested for it that is not stored. */
export interface PinSource {
  /** Canonical URLs of documents that may name this one, the likeliest first; a few. */
  readonly urls: readonly string[];
  /** A new finder for the document with that URL. */
  find(url: string): PinFinder;
}

/** A small document that is made of those of several repositories. */
export interface Merge {
  /** What is asked for is told of the document by this end of its URL: `.sha1`. */
  readonly suffix: string;
  readonly type: string;
  /** One document of at least two; undefined where one of them is not what it should be. */
  merge(documents: readonly Uint8Array[]): Uint8Array | undefined;
  /** What is asked for, from the document. */
  present(document: Uint8Array): Uint8Array;
}

/** What may be said of anything that the cache may hold. */
interface Cacheable {
  /**
   * The request's fields with spellings that mean the same made one, so that variants do not
   * multiply: taken in place of `headers` to select a variant and to ask the upstream.
   */
  readonly requestHeaders?: RawHeaders;
  /**
   * Why what the upstream answers is this client's alone, whatever it says of itself. What is stored
   * and fresh may still be served.
   */
  readonly unshared?: string;
  /**
   * A response field (lower case) with the digest of the body, as `algorithm:hex` or a SHA-256 in
   * quotes: the body is held to it, and it must not contradict the digest that is known.
   */
  readonly digestField?: string;
  /** Fields (lower case) of a redirect's response that the one it leads to is to have, too. */
  readonly keptFields?: readonly string[];
  /** The digests that it gives of other files. */
  readonly lists?: DigestList;
  /** Fetch the whole also for a HEAD of what is not stored. */
  readonly wholeForHead?: boolean;
}

/** A mutable document, and what its ecosystem knows of it beyond the response's own fields. */
export interface IndexClassification extends Cacheable {
  readonly kind: 'index';
  readonly freshness: FreshnessRule;
  readonly rewrite?: Rewrite;
  /** Other documents have to fit it: which version of it a client has is remembered. */
  readonly names?: true;
  /**
   * What it has to fit. Where one that is stored names it, the version that the client was given of
   * that decides: an artifact with that digest is served in its place, else nothing.
   */
  readonly pinnedBy?: PinSource;
  /**
   * Canonical URL of the document, one that `names`, of which every version has its own of these, such
   * as a detached signature: one is kept for each version that a client was given.
   */
  readonly fits?: string;
  /** Request fields (lower case) that select the representation whether or not `Vary` names them. */
  readonly vary?: readonly string[];
  /**
   * A stored one is validated by HEAD: one whose `digestField` tells the stored digest is still valid.
   * For upstreams that count a GET, conditional or not, against a limit.
   */
  readonly validateByHead?: boolean;
  /** A 429 is a reason to serve what is stored, as a 503 is. */
  readonly staleIfThrottled?: boolean;
  /** Give the representation an entity tag of its own, a hash of its bytes, where it has none. */
  readonly ownEtag?: boolean;
  /** Request fields (lower case) that decided on `rewrite`: the served `Vary` must name them. */
  readonly servedVary?: readonly string[];
  /** How a mount with several repositories answers it; without it as the first one that has it. */
  readonly merge?: Merge;
}

/** A resource whose URL's content never changes. */
export interface ArtifactClassification extends Cacheable {
  readonly kind: 'artifact';
  /** What the whole body must have. */
  readonly digest?: Digest;
  /** Asked on a miss, where the request itself does not tell the digest. */
  readonly digestFrom?: DigestSource;
  /**
   * What the client says that the whole body has, in what it asks with. It counts where no digest is
   * known, and for the store alone: a client's word does not decide what others are given.
   */
  readonly expected?: Digest;
  /** Roots of the lists that may name it, a few; nothing is requested that is not stored. */
  readonly listedBelow?: readonly string[];
  /** The digest is that of the bytes as they are sent, whatever coding they are said to be in. */
  readonly asSent?: true;
}

/** What an ecosystem says of a request. */
export type Classification =
  /** Immutable, perhaps with the digest its body must have, or with where that is published. */
  | ArtifactClassification
  /** Mutable. */
  | IndexClassification
  /** Not for the cache. */
  | { readonly kind: 'passthrough'; readonly reason: string };

/** What an ecosystem may look at. */
export interface ClassifyRequest {
  readonly method: string;
  /** Canonical upstream URL. */
  readonly url: string;
  /** Path and query below the upstream's URL, beginning with `/`; without a mount the whole path. */
  readonly path: string;
  readonly headers: RawHeaders;
  /** Canonical URL of the mount's first upstream without a trailing slash; undefined without a mount. */
  readonly upstreamUrl?: string;
  /** Public URL of the mount without a trailing slash; only where the client uses the mount itself. */
  readonly publicBase?: string;
}
