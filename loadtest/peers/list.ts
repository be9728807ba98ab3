import { aria2 } from './aria2.ts';
import { direct } from './direct.ts';
import { millrace, millraceLog } from './millrace.ts';
import { nginx, nginxCopy } from './nginx.ts';
import type { Peer } from './peer.ts';
import { squid } from './squid.ts';
import { trafficserver } from './trafficserver.ts';
import { varnish } from './varnish.ts';
import { verdaccio } from './verdaccio.ts';

/** By the names that `--peers` takes; Millrace always takes part. */
export const peers: Readonly<Record<string, readonly Peer[]>> = {
  'millrace-log': [millraceLog],
  direct: [direct],
  aria2: [aria2],
  nginx: [nginx, nginxCopy],
  varnish: [varnish],
  squid: [squid],
  trafficserver: [trafficserver],
  verdaccio: [verdaccio],
};

export const subject: Peer = millrace;
