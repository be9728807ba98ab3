import { expect, onTestFinished, test } from 'vitest';
import { type GatewayProcess, gatewayProcess } from '../../clients/support/gateway-process.ts';
import { raw } from '../../support/raw.ts';
import { askedAs, faultIn } from './support/check.ts';
import { exchange, someManners } from './support/exchange.ts';
import { type FuzzOrigin, startFuzzOrigin } from './support/fuzz-origin.ts';
import { Random } from './support/random.ts';
import { conversation } from './support/requests.ts';
import { readRequests } from './support/strict-request.ts';
import { allAnswered } from './support/strict-response.ts';

const seed = Number(process.env.MILLRACE_FUZZ_SEED ?? Date.now() % 1_000_000);
const seconds = Number(process.env.MILLRACE_FUZZ_SECONDS ?? 30);
const clients = 12;
/** Far more than a gateway with 16 MiB for its cache needs, and far less than a leak would take. */
const maxResidentBytes = 600 * 2 ** 20;
/** For what was under way to end, and for an upstream that failed to be asked again. */
const settlingMs = 60_000;

test('malformed messages from both sides neither end the gateway nor confuse it', {
  timeout: seconds * 1000 + 3 * settlingMs,
}, async () => {
  console.log(`MILLRACE_FUZZ_SEED=${seed}, for ${seconds} s`);
  const { origin, gateway } = await setup();
  const { faults, conversations } = await fuzz(origin, gateway);
  console.log(`${conversations} connections, ${origin.requests} requests at the origin`);
  expect(faults.join('\n'), `MILLRACE_FUZZ_SEED=${seed}`).toBe('');

  const idle = { active: 0, readers: 0 };
  await expect
    .poll(async () => (await gateway.stats()).fills, { timeout: settlingMs })
    .toEqual(idle);
  for (const [index, base] of ['', origin.url].entries()) {
    const ask = `GET ${base}/files/calm-${index} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
    await expect
      .poll(() => raw(gateway.url, ask), { timeout: settlingMs })
      .toMatch(new RegExp(`^HTTP/1\\.1 200 .*\r\n\r\nthis is calm-${index}$`, 's'));
  }
  expect(await residentBytes(gateway)).toBeLessThan(maxResidentBytes);
  expect(gateway.log.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  await gateway.stop();
});

async function setup(): Promise<{ origin: FuzzOrigin; gateway: GatewayProcess }> {
  const origin = await startFuzzOrigin(seed);
  onTestFinished(() => origin.close());
  const gateway = await gatewayProcess({
    memory: '16MiB',
    disk: '64MiB',
    timeouts: { connect: '1s', firstByte: '1s', idle: '1s', floor: '500ms' },
    limits: { connections: new Random(seed, 'connections').pick([1, 4]) },
    mounts: [{ path: '/files', ecosystem: 'generic', upstreams: [{ url: `${origin.url}/files` }] }],
  });
  return { origin, gateway };
}

/** Talks to the gateway until the time is over or something is wrong. */
async function fuzz(
  origin: FuzzOrigin,
  gateway: GatewayProcess,
): Promise<{ faults: readonly string[]; conversations: number }> {
  const port = Number(new URL(gateway.url).port);
  const deadline = performance.now() + seconds * 1000;
  const faults: string[] = [];
  /** What the last connections have sent. */
  const recent: string[] = [];
  /** Ways in which the origin may be asked, whether or not it ever is. */
  const meant = new Set<string>();
  origin.onRequest = ({ method, target }) => {
    const safe = method === 'GET' || method === 'HEAD';
    if (meant.has(safe ? target : `${method} ${target}`)) return;
    faults.push(
      `smuggled: ${method} ${target}, perhaps by\n${recent.filter((said) => said.includes(target)).join('\n')}`,
    );
  };
  let conversations = 0;

  const converse = async (id: string): Promise<void> => {
    const random = new Random(seed, 'conversation', id);
    const { text } = conversation(random, id, origin.url);
    const requests = readRequests(Buffer.from(text, 'latin1'));
    for (const request of requests) {
      for (const target of askedAs(request, origin.url)) {
        meant.add(target).add(`${request.method} ${target}`);
      }
    }
    const manners = someManners(random);
    const said = `#${id} (${manners}) ${shortened(text, 4000)}`;
    recent.push(said);
    if (recent.length > 2 * clients) recent.shift();
    const methods = requests.map(({ method }) => method);
    const answered = (bytes: Buffer) => allAnswered(bytes, methods);
    const { received, ending } = await exchange({ port, text, manners, answered }, random);
    if (ending === 'stuck' || ending === 'refused') {
      faults.push(`${ending}: ${said}\ngot ${shortened(received.toString('latin1'), 600)}`);
      return;
    }
    const fault = faultIn(received, ending, requests, origin.resources);
    if (fault === undefined) return;
    faults.push(`${fault}: ${said}\ngot ${shortened(received.toString('latin1'), 600)}`);
  };

  const client = async (): Promise<void> => {
    while (performance.now() < deadline && faults.length + origin.problems.length === 0) {
      conversations += 1;
      await converse(String(conversations));
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { faults: [...faults, ...origin.problems], conversations };
}

/** The beginning of a message as a line, long repetitions left out. */
function shortened(text: string, length: number): string {
  const dense = text.replace(/(.{1,8}?)\1{20,}/gs, (run, unit) => `${unit}{${run.length} in all}`);
  return JSON.stringify(dense.slice(0, length));
}

async function residentBytes({ adminUrl }: GatewayProcess): Promise<number> {
  const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
  return Number(/^millrace_process_memory_bytes\{area="rss"\} (\d+)/m.exec(metrics)?.[1]);
}
