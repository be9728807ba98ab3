import type { Answer } from '../pipeline/answer.ts';
import type { Mount } from './mount-table.ts';

/** What a person sees who opens the gateway itself: where things are, and how to point tools at it. */
export function landing(base: string, mounts: readonly Mount[], now: number): Answer {
  const lines = [
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
  ];
  const bytes = Buffer.from(lines.join('\n'));
  const headers = [
    'Content-Type',
    'text/plain; charset=utf-8',
    'Content-Length',
    String(bytes.length),
    'Cache-Control',
    'no-store',
    'Date',
    new Date(now).toUTCString(),
  ];
  return { status: 200, headers, body: { kind: 'bytes', bytes } };
}
