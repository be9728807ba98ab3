import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface AdminPage {
  readonly contentType: string;
  readonly body: string;
  readonly fields: Readonly<Record<string, string>>;
}

/**
 * Reads the page, once. Its policy allows the one script and the one style sheet that are in it, by
 * their digests, requests to where it came from, and nothing else.
 */
export function loadAdminPage(): AdminPage {
  const body = readFileSync(new URL('./admin-page.html', import.meta.url), 'utf8');
  const policy = [
    "default-src 'none'",
    `script-src ${digestOf(body, 'script')}`,
    `style-src ${digestOf(body, 'style')}`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return {
    contentType: 'text/html; charset=utf-8',
    body,
    fields: { 'Content-Security-Policy': policy, 'Referrer-Policy': 'no-referrer' },
  };
}

function digestOf(html: string, element: 'script' | 'style'): string {
  const [, content = ''] = new RegExp(`<${element}>([\\s\\S]*?)</${element}>`).exec(html) ?? [];
  return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
}
