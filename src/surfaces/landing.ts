import { fieldValue, type RawHeaders } from '../core/raw-headers.ts';
import type { Answer } from '../pipeline/answer.ts';
import type { Mount } from './mount-table.ts';

export interface LandingOptions {
  /** The gateway's own URL, as the client knows it. */
  readonly base: string;
  readonly mounts: readonly Mount[];
  /** The request's fields. */
  readonly headers: RawHeaders;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What a person sees who opens the gateway itself, and `millrace setup` and `doctor`, as JSON. */
export function landing({ base, mounts, headers, now }: LandingOptions): Answer {
  const asJson = fieldValue(headers, 'accept')?.includes('application/json') === true;
  const bytes = Buffer.from(asJson ? document(base, mounts) : page(base, mounts));
  const fields = [
    'Content-Type',
    asJson ? 'application/json' : 'text/plain; charset=utf-8',
    'Content-Length',
    String(bytes.length),
    'Cache-Control',
    'no-store',
    'Vary',
    'Accept',
    'Date',
    new Date(now).toUTCString(),
  ];
  return { status: 200, headers: fields, body: { kind: 'bytes', bytes } };
}

function document(url: string, mounts: readonly Mount[]): string {
  const listed = mounts.map(({ path, ecosystem, upstreams }) => ({
    path,
    ecosystem: ecosystem.id,
    upstreams: upstreams.map((upstream) => upstream.url),
  }));
  return `${JSON.stringify({ name: 'millrace', url, mounts: listed })}\n`;
}

/** Where things are, and how to point tools at it. */
function page(base: string, mounts: readonly Mount[]): string {
  return [
    'Millrace, a caching gateway for package managers.',
    '',
    ...mounts.map(
      ({ path, ecosystem, upstreams: [{ url }] }) => `${base}${path}  ${ecosystem.id}  <- ${url}`,
    ),
    '',
    ...mounts
      .filter(({ ecosystem }) => ecosystem.id === 'npm')
      .slice(0, 1)
      .map(({ path }) => `npm:  npm config set registry ${base}${path}/`),
    `apt:  echo 'Acquire::http::Proxy "${base}";' | sudo tee /etc/apt/apt.conf.d/01millrace`,
    '',
  ].join('\n');
}
