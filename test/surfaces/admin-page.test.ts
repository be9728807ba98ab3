import { createHash } from 'node:crypto';
import { createContext, runInContext } from 'node:vm';
import { expect, test } from 'vitest';
import { type AdminSide, someStats, startAdmin } from './admin-side.ts';

/** As much of an element as the page's script uses. */
class Element {
  readonly tag: string;
  text = '';
  className = '';
  hidden = false;
  children: Element[] = [];

  constructor(tag: string) {
    this.tag = tag;
  }

  set textContent(text: string) {
    this.text = text;
  }

  append(...children: Element[]): void {
    this.children.push(...children);
  }

  replaceChildren(...children: Element[]): void {
    this.children = children;
  }

  setAttribute(): void {}

  get all(): string {
    return [this.text, ...this.children.map((child) => child.all)].filter(Boolean).join(' ');
  }
}

/** Runs the page's own script against the running admin side, once. */
async function render(admin: AdminSide): Promise<Map<string, Element>> {
  const html = (await admin.ask('/')).body;
  const elements = new Map(
    [...html.matchAll(/<(\w+)[^>]* id="([^"]+)"/g)].map(([, tag = '', id = '']) => [
      id,
      new Element(tag),
    ]),
  );
  const shown = Promise.withResolvers<void>();
  const status = elements.get('status');
  Object.defineProperty(status, 'className', { set: () => shown.resolve() });
  runInContext(
    /<script>([\s\S]*)<\/script>/.exec(html)?.[1] ?? '',
    createContext({
      document: {
        hidden: false,
        getElementById: (id: string) => elements.get(id),
        createElement: (tag: string) => new Element(tag),
      },
      fetch: (path: string) => admin.ask(`/${path}`),
      setInterval: () => 0,
    }),
  );
  await shown.promise;
  return elements;
}

test('the page shows mounts with their commands, tiers, figures and health', async () => {
  const checks = { disk: { ok: false, reason: 'No space left.' } };
  const admin = await startAdmin({ health: () => ({ ok: true, checks }) });
  const page = await render(admin);
  const text = (id: string) => page.get(id)?.all;
  expect(text('status')).toBe('degraded, still serving');
  expect(text('about')).toBe('1.2.3, up 60 min');
  expect(text('mounts')).toContain('npm config set registry http://127.0.0.1:8080/npm/');
  expect(text('mounts')).toContain('Acquire::http::Proxy "http://127.0.0.1:8080";');
  expect(text('mounts')).toContain('http://<b>.test curl http://127.0.0.1:8080/…');
  expect(text('proxy')).toContain('*.example.com');
  expect(text('tiers')).toContain('memory (bypassed) 512 B 2.0 KiB');
  expect(text('figures')).toContain('Being fetched now 1 for 3');
  expect(text('upstreams')).toContain('https://registry.test');
  expect(text('kinds')).toBe('nothing yet');
});

test('behind a public URL, a proxy is still the listener itself', async () => {
  const stats = () => ({
    ...someStats(),
    url: 'https://cache.example.com/x',
    proxyUrl: 'http://10.0.0.1:8080',
  });
  const page = await render(await startAdmin({ stats }));
  expect(page.get('mounts')?.all).toContain('registry https://cache.example.com/x/npm/');
  expect(page.get('mounts')?.all).toContain('Proxy "http://10.0.0.1:8080";');
  expect(page.get('proxy')?.all).toContain('http_proxy=http://10.0.0.1:8080:');
});

test('the page says so when the figures cannot be had', async () => {
  const admin = await startAdmin({
    stats: () => {
      throw new Error('inner');
    },
  });
  expect((await render(admin)).get('status')?.all).toBe('no answer: See the log.');
});

test('the policy allows exactly the script and the style in the page, and no other source', async () => {
  const admin = await startAdmin();
  const { headers, body } = await admin.ask('/');
  expect(headers['content-type']).toBe('text/html; charset=utf-8');
  const policy = String(headers['content-security-policy']);
  for (const element of ['script', 'style']) {
    const [, content = ''] = new RegExp(`<${element}>([\\s\\S]*?)</${element}>`).exec(body) ?? [];
    const digest = createHash('sha256').update(content).digest('base64');
    expect(policy).toContain(`${element}-src 'sha256-${digest}'`);
  }
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain('unsafe');
  expect(body).not.toMatch(/(?:src|href)=|style="|\son\w+="|innerHTML/);
});
