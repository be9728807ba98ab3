import { createHash } from 'node:crypto';
import { createContext, runInContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { FillsFigures } from '../../src/core/fill-figures.ts';
import { type AdminSide, someStats, startAdmin } from './admin-side.ts';

const segment = { state: 'receiving', first: 0, last: 4095, bytes: 512, speed: null } as const;

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
async function render(admin: AdminSide, more: object = {}): Promise<Map<string, Element>> {
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
        addEventListener: () => undefined,
      },
      fetch: (path: string) => admin.ask(`/${path}`),
      setInterval: () => 0,
      ...more,
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

const someFills: FillsFigures = {
  active: 3,
  fills: [
    {
      id: 7,
      url: 'https://registry.test/<big>.tgz',
      ecosystem: 'npm',
      mount: '/npm',
      startedAt: '2026-01-01T00:00:00.000Z',
      size: 4096,
      bytes: 1024,
      readers: 2,
      storing: true,
      speed: 512,
      etaSeconds: 6,
      segments: [
        { ...segment, mirror: 'http://a.test', speed: 256 },
        { ...segment, mirror: 'http://a.test', speed: 256 },
        { ...segment, mirror: null, state: 'asked' },
      ],
    },
    {
      id: 8,
      url: 'https://registry.test/unknown',
      ecosystem: 'generic',
      mount: null,
      startedAt: '2026-01-01T00:00:00.000Z',
      size: null,
      bytes: 10,
      readers: 0,
      storing: false,
      speed: null,
      etaSeconds: null,
      segments: [],
    },
  ],
};

test('without a stream the page shows the fills that it asks for', async () => {
  const page = await render(await startAdmin({ fills: () => someFills }));
  const text = page.get('fills')?.all;
  expect(text).toContain('https://registry.test/<big>.tgz 1.0 KiB of 4.0 KiB 512 B/s 6 s 2');
  expect(text).toContain('http://a.test ×2, 512 B/s asked ×1');
  expect(text).toContain('https://registry.test/unknown 10 B – – 0, not stored');
  expect(page.get('more-fills')?.all).toBe('And 1 more.');
  const meter = page.get('fills')?.children[0]?.children[1]?.children[0];
  expect(meter).toMatchObject({ tag: 'progress', max: 4096, value: 1024 });
});

test('with a stream the page shows each event, and asks for nothing besides', async () => {
  const streams: { url: string; listener: ((event: { data: string }) => void) | undefined }[] = [];
  const asked: string[] = [];
  class EventSource {
    readonly readyState = 1;
    readonly stream: (typeof streams)[number];

    constructor(url: string) {
      this.stream = { url, listener: undefined };
      streams.push(this.stream);
    }

    addEventListener(_name: string, listener: (event: { data: string }) => void): void {
      this.stream.listener = listener;
    }
  }
  const admin = await startAdmin();
  const fetch = (path: string) => {
    asked.push(path);
    return admin.ask(`/${path}`);
  };
  const page = await render(admin, { EventSource, fetch });
  expect(streams.map(({ url }) => url)).toEqual(['api/fills/stream']);
  expect(asked).not.toContain('api/fills');
  streams[0]?.listener?.({ data: JSON.stringify(someFills) });
  expect(page.get('fills')?.all).toContain('https://registry.test/<big>.tgz');
  streams[0]?.listener?.({ data: JSON.stringify({ active: 0, fills: [] }) });
  expect(page.get('fills')?.all).toBe('nothing just now');
  expect(page.get('more-fills')?.hidden).toBe(true);
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
