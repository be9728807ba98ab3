import { basename, join, resolve } from 'node:path';
import { canonicalUrl } from '../core/canonical-url.ts';
import {
  type Digest,
  digestAlgorithm,
  digestFromHex,
  digestsFromIntegrity,
} from '../core/digest.ts';
import type { RawHeaders } from '../core/raw-headers.ts';
import type { WantedFile } from '../gateway-get.ts';

export interface GetTargetOptions {
  readonly cwd: string;
  readonly output: string | undefined;
  readonly outputDir: string | undefined;
  readonly checksums: readonly string[];
  readonly version: string;
}

export interface GetTarget extends WantedFile {
  /** How the file is called in what is printed. */
  readonly name: string;
  /** The user named the file: what lies there may be replaced. */
  readonly named: boolean;
}

export type GetTargets =
  | { readonly ok: true; readonly targets: readonly GetTarget[] }
  | { readonly ok: false; readonly problems: readonly string[] };

/** What is to be fetched and where it goes; or all that is wrong with the command line. */
export function getTargets(urls: readonly string[], options: GetTargetOptions): GetTargets {
  const { output, outputDir, checksums } = options;
  const problems: string[] = [];
  if (output !== undefined && outputDir !== undefined) problems.push('give -o or -O, not both');
  if (output !== undefined && urls.length > 1) {
    problems.push(`-o names one file, and there are ${urls.length} URLs: give a folder with -O`);
  }
  if (output === '-' || output?.endsWith('/')) {
    problems.push(`-o ${output}: give the path of a file`);
  }
  if (checksums.length > 0 && checksums.length !== urls.length) {
    problems.push(
      `--checksum was given ${checksums.length} times for ${urls.length} URLs: give one for each, in their order`,
    );
  }
  const digests = checksums.map(parseChecksum);
  for (const [at, digest] of digests.entries()) {
    if (digest === undefined) {
      problems.push(
        `--checksum ${checksums[at]}: give one such as sha256:<64 hexadecimal digits> (also md5, sha1, sha384, sha512)`,
      );
    }
  }
  const targets = urls.flatMap((url, at) => {
    const target = targetOf(url, digests[at], options);
    if (typeof target !== 'string') return [target];
    problems.push(target);
    return [];
  });
  const taken = new Set<string>();
  for (const { target, name } of targets) {
    if (taken.has(target)) problems.push(`two of the URLs would be the file ${name}`);
    taken.add(target);
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, targets };
}

/** `sha256:<hex>` or an integrity text (`sha256-<base64>`); undefined where it is neither. */
export function parseChecksum(text: string): Digest | undefined {
  const [, name, hex] = /^([a-z0-9-]+)[:=](.+)$/i.exec(text.trim()) ?? [];
  if (name === undefined || hex === undefined) return digestsFromIntegrity(text)[0];
  const algorithm = digestAlgorithm(name);
  return algorithm && digestFromHex(algorithm, hex.trim());
}

function targetOf(
  text: string,
  digest: Digest | undefined,
  { cwd, output, outputDir, version }: GetTargetOptions,
): GetTarget | string {
  const asked = urlWithFields(text, version);
  if (asked === undefined) return `${text}: give an http or https URL`;
  const { url, headers } = asked;
  const name = output === undefined ? fileName(url) : basename(output);
  if (name === undefined) return `${url}: the URL names no file: give one with -o`;
  return {
    url,
    name,
    digest,
    named: output !== undefined,
    target:
      output === undefined ? join(resolve(cwd, outputDir ?? '.'), name) : resolve(cwd, output),
    headers,
  };
}

/**
 * A URL in its canonical spelling, with the fields of a request for its bytes as they are; undefined
 * for what is no http or https URL. Credentials are not part of that spelling: they are in a field.
 */
export function urlWithFields(
  text: string,
  version: string,
): { readonly url: string; readonly headers: RawHeaders } | undefined {
  const url = canonicalUrl(text);
  if (url === undefined || !URL.canParse(text)) return undefined;
  const plain = [
    'Accept',
    '*/*',
    'Accept-Encoding',
    'identity',
    'User-Agent',
    `millrace/${version}`,
  ];
  return { url, headers: [...plain, ...credentials(new URL(text))] };
}

/** The last part of the path, where that is a name that any file may have. */
function fileName(url: string): string | undefined {
  const last = new URL(url).pathname.split('/').at(-1) ?? '';
  const name = decoded(last);
  const unfit = name === undefined || name === '' || name === '.' || name === '..';
  // Control characters would speak to the terminal.
  return unfit || /[/\\\p{Cc}]/u.test(name) ? undefined : name;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}

/** RFC 7617: what stands before the host goes to that host, in a field. */
function credentials({ username, password }: URL): readonly string[] {
  if (username === '' && password === '') return [];
  const pair = `${decoded(username)}:${decoded(password)}`;
  return ['Authorization', `Basic ${Buffer.from(pair).toString('base64')}`];
}
