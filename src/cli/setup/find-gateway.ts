import { X509Certificate } from 'node:crypto';
import type { Config } from '../../config/config.ts';
import { canonicalUrl } from '../../core/canonical-url.ts';
import { authorityPlaces } from '../../tls/authority-files.ts';
import { reachable } from '../announce.ts';
import { type Asked, askGateway } from './ask-gateway.ts';
import { readState } from './file-states.ts';
import { textOf } from './host-place.ts';
import { type GatewayPlace, refuse, type Trust } from './tool.ts';
import { publicCertificates, trustWith } from './trust.ts';

export interface FindOptions {
  readonly config: Config;
  /** `--url`: another gateway than the one of the configuration. */
  readonly url: string | undefined;
  /** `--ca`: the certificate of its authority. */
  readonly ca: string | undefined;
}

/** The gateway that tools are to be pointed at, and what it said. */
export interface FoundGateway {
  readonly place: GatewayPlace;
  readonly asked: Asked;
  /** Its authority, where one is known. */
  readonly trust: Trust | undefined;
  /** When it was asked and had answered: milliseconds since the epoch. */
  readonly between: readonly [number, number];
}

/**
 * The gateway that is named, else the one that this configuration is of. Its mounts are those that it
 * says it has; while it does not answer, those of the configuration.
 */
export async function findGateway(options: FindOptions, now: () => number): Promise<FoundGateway> {
  const { config } = options;
  const [url, proxyUrl] = addresses(options);
  const certificate = certificateOf(options, url);
  const trust = certificate === undefined ? undefined : trustWith(certificate);
  const ca = trust && [...publicCertificates(), trust.authority].join('\n');
  const before = now();
  const asked = await askGateway(url, ca === undefined ? {} : { ca });
  const mounts = asked.ok
    ? asked.answer.mounts
    : config.mounts.map(({ path, ecosystem, upstreams }) => {
        return { path, ecosystem, upstreams: upstreams.map((each) => each.url) };
      });
  return { place: { url, proxyUrl, mounts }, asked, trust, between: [before, now()] };
}

function addresses({ config, url: given }: FindOptions): [string, string] {
  if (given !== undefined) {
    const url = canonicalUrl(given)?.replace(/\/+$/, '');
    if (url === undefined || /[?#]/.test(url)) {
      return refuse(`--url ${given}: give one such as http://127.0.0.1:8080`);
    }
    return [url, new URL(url).origin];
  }
  const { host, port } = config.listen;
  if (port === 0) {
    refuse('the configuration leaves the port to the system: say where the gateway is with --url');
  }
  const own = reachable(`http://${host.includes(':') ? `[${host}]` : host}:${port}`);
  return [config.publicUrl ?? own, own];
}

/** The authority that is named, else the one in the data folder of the gateway on this host. */
function certificateOf({ config, url, ca }: FindOptions, at: string): string | undefined {
  if (ca !== undefined) {
    const state = readState(ca);
    if (state === undefined) refuse(`--ca ${ca}: there is no such file`);
    const text = textOf(state.content, ca);
    try {
      new X509Certificate(text);
    } catch (error) {
      throw new TypeError(`--ca ${ca}: it is not a certificate in PEM`, { cause: error });
    }
    return text;
  }
  const { hostname } = new URL(at);
  // What lies here is of a gateway on this host.
  const isHere = url === undefined || /^(?:localhost|127\..*|\[::1\])$/.test(hostname);
  if (!isHere) return undefined;
  const { certificate } = authorityPlaces(config.data);
  return readState(certificate)?.content.toString();
}
