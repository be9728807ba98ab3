import { askGateway } from './ask-gateway.ts';
import { readState } from './file-states.ts';
import type { Finding, ToolState } from './finding.ts';
import { shakeHands } from './handshake.ts';
import { certificatesInKeystore } from './keystore.ts';
import type { GatewayPlace, Plan, Tool } from './tool.ts';
import { certificatesIn, publicCertificates } from './trust.ts';

export interface TrustQuestion {
  readonly tool: Tool;
  readonly state: ToolState;
  readonly plan: Plan;
  readonly gateway: GatewayPlace;
  readonly more: string;
}

/** Whether a tool that is pointed at the gateway takes the certificates that it shows. */
export async function checkTrust(question: TrustQuestion): Promise<Finding[]> {
  const { tool, state, plan, gateway, more } = question;
  const ca = trustedBy(plan);
  const untrusted = (code: string, issuer: string): Finding => ({
    code: 'untrusted',
    severity: 'problem',
    tool: tool.id,
    message: `it does not trust the certificate${issuer === '' ? '' : ` of ${issuer}`} (${code}) by ${plan.trustFile ?? 'the authorities of the system'}`,
    fix: plan.trustFile
      ? `millrace setup ${tool.id}${state.mode === 'proxy' ? ' --proxy' : ''}${more}`
      : 'millrace ca install',
  });
  if (state.mode === 'registry') {
    if (!gateway.url.startsWith('https:')) return [];
    const asked = await askGateway(gateway.url, { ca: ca.join('\n') });
    return !asked.ok && asked.why === 'untrusted' ? [untrusted(asked.detail, '')] : [];
  }
  const host = secureUpstream(tool, gateway);
  if (host === undefined) return [];
  const { proxyUrl } = gateway;
  const port = Number(host.port || 443);
  const hostname = host.hostname.replace(/^\[|\]$/g, '');
  const shaken = await shakeHands({ proxyUrl, host: hostname, port, ca });
  const about = { severity: 'problem', tool: tool.id } as const;
  switch (shaken.kind) {
    case 'trusted':
      if (shaken.intercepted) return [];
      return [
        {
          ...about,
          code: 'not-intercepted',
          message: `a tunnel to ${host.host} goes past the cache`,
          fix: 'on the gateway: millrace ca create, the host in `forwardProxy.intercept`, and SIGHUP (docs/https.md)',
        },
      ];
    case 'untrusted':
      return [untrusted(shaken.code, shaken.issuer)];
    case 'refused':
      return [
        {
          ...about,
          code: 'tunnel-refused',
          message: `the gateway refused a tunnel to ${host.host} with ${shaken.status}${shaken.detail === '' ? '' : `: ${shaken.detail}`}`,
          fix: 'allow the host in `forwardProxy.allow` (docs/https.md)',
        },
      ];
    case 'failed':
      return [
        {
          ...about,
          code: 'tunnel-refused',
          message: `no TLS with ${host.host} through the gateway: ${shaken.detail}`,
          fix: 'see the log of the gateway',
        },
      ];
  }
}

/** The first upstream of the tool's ecosystem that is https: what a proxy would be asked for. */
function secureUpstream({ ecosystem }: Tool, { mounts }: GatewayPlace): URL | undefined {
  return mounts
    .filter((mount) => mount.ecosystem === ecosystem)
    .flatMap(({ upstreams }) => upstreams.map((url) => new URL(url)))
    .find(({ protocol }) => protocol === 'https:');
}

/** What the tool trusts, PEM each. */
function trustedBy({ trustFile, trustsSystem }: Plan): readonly string[] {
  if (trustFile === undefined) return publicCertificates();
  const content = readState(trustFile)?.content ?? Buffer.alloc(0);
  const own = trustFile.endsWith('.jks')
    ? certificatesInKeystore(content)
    : certificatesIn(content.toString());
  return trustsSystem === true ? [...publicCertificates(), ...own] : own;
}
