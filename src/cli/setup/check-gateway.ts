import { textAt, valueAt } from '../foreign-json.ts';
import type { FoundGateway } from './find-gateway.ts';
import type { Finding } from './finding.ts';
import { given } from './places.ts';
import type { Place } from './tool.ts';

/** Clocks further apart than this make what is fresh stale, and the other way round. */
const mostSkewMs = 60_000;

/** What is wrong with the gateway itself, as this host sees it. */
export function checkGateway(found: FoundGateway, env: Place['env']): Finding[] {
  const { asked, place } = found;
  const findings = proxyBetween(place.url, env);
  if (!asked.ok) return [...findings, noAnswer(asked, place.url)];
  const { url, date } = asked.answer;
  if (url !== place.url) {
    findings.push({
      code: 'public-url',
      severity: 'problem',
      message: `it was asked at ${place.url} and says that it is ${url}: links in its indexes lead there`,
      fix: `set \`publicUrl\` to what tools use, or point them at it: millrace setup TOOL --url ${url}`,
    });
  }
  const skew = date === undefined ? 0 : skewOf(date, found.between);
  if (Math.abs(skew) > mostSkewMs) {
    const minutes = Math.round(Math.abs(skew) / 6_000) / 10;
    findings.push({
      code: 'clock',
      severity: 'problem',
      message: `its clock is ${minutes} minutes ${skew > 0 ? 'ahead of' : 'behind'} this one`,
      fix: 'let both hosts keep time by NTP: timedatectl set-ntp true',
    });
  }
  return findings;
}

/** How far a `Date`, which has whole seconds, is outside of the time in which it came. */
function skewOf(date: number, [before, after]: FoundGateway['between']): number {
  if (date > after) return date - after;
  return date + 999 < before ? date + 999 - before : 0;
}

function noAnswer(
  { why, detail }: Extract<FoundGateway['asked'], { ok: false }>,
  url: string,
): Finding {
  switch (why) {
    case 'unreachable':
      return {
        code: 'gateway-unreachable',
        severity: 'problem',
        message: `no gateway answers at ${url}: ${detail}`,
        fix: 'start it with millrace serve, or say where it is with --url',
      };
    case 'untrusted':
      return {
        code: 'gateway-untrusted',
        severity: 'problem',
        message: `its certificate is not trusted here: ${detail}`,
        fix: 'give the certificate of its authority with --ca FILE (there: millrace ca export)',
      };
    case 'foreign':
      return {
        code: 'not-a-gateway',
        severity: 'problem',
        message: `what answers at ${url} is not a gateway, or has a mount at /: ${detail}`,
        fix: 'say where the gateway is with --url',
      };
  }
}

/** Tools that heed these variables would ask another proxy for the gateway. */
function proxyBetween(url: string, env: Place['env']): Finding[] {
  const { protocol, hostname, host } = new URL(url);
  const names =
    protocol === 'https:' ? ['https_proxy', 'HTTPS_PROXY'] : ['http_proxy', 'HTTP_PROXY'];
  const name = names.find((each) => given(env[each]) !== undefined);
  const proxy = name === undefined ? undefined : env[name];
  if (name === undefined || proxy === undefined || proxy.includes(host)) return [];
  const exempt = (given(env.no_proxy) ?? env.NO_PROXY ?? '').split(/[\s,]+/);
  const isExempt = exempt.some((each) => {
    const plain = each.replace(/^\*?\./, '');
    return each === '*' || plain === host || plain === hostname || hostname.endsWith(`.${plain}`);
  });
  if (isExempt) return [];
  return [
    {
      code: 'proxy-between',
      severity: 'note',
      message: `${name} is set, so tools may ask that proxy for the gateway`,
      fix: `export NO_PROXY=${hostname}`,
    },
  ];
}

/** What the admin side of the gateway of this host's configuration says of its health. */
export async function checkHealth(adminUrl: string): Promise<Finding[]> {
  const url = `${adminUrl}/healthz`;
  let document: unknown;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000), redirect: 'manual' });
    document = await response.json();
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return [
      {
        code: 'admin-unreachable',
        severity: 'note',
        message: `its admin side does not answer at ${url}, so its health is not known: ${String((cause as Error).message)}`,
        fix: 'see `admin.host` and `admin.port` in its configuration',
      },
    ];
  }
  if (textAt(document, 'status') === 'ok') return [];
  const checks = Object.entries((valueAt(document, 'checks') ?? {}) as Record<string, unknown>);
  const reasons = checks
    .filter(([, check]) => valueAt(check, 'ok') !== true)
    .map(([name, check]) => `${name}: ${textAt(check, 'reason') ?? 'failed'}`);
  return [
    {
      code: 'degraded',
      severity: 'problem',
      message: `it is ${textAt(document, 'status') ?? 'not well'}: ${reasons.join('; ') || 'no reason given'}`,
      fix: 'see its log; requests go on uncached meanwhile (docs/operations.md)',
    },
  ];
}
