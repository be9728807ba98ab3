import { logLevels } from '../core/logger.ts';
import { setCookieRules } from '../core/store-rules.ts';
import { fieldName } from './http-types.ts';
import { mirrors } from './mirror-declarations.ts';
import { byteRate, ecosystemLimit, places, presetNames, region } from './mirror-types.ts';
import { mounts } from './mount-declarations.ts';
import { addressRange, hostPattern, listenHost, urlHost } from './network-types.ts';
import {
  byteSize,
  duration,
  file,
  folder,
  oneOf,
  port,
  targetPort,
  trueOrFalse,
} from './scalar-types.ts';
import { bearerToken } from './secret-types.ts';
import { optional, setting } from './setting.ts';
import { publicUrl } from './url-types.ts';
import { listOf } from './value-type.ts';

const day = 86_400_000;
const mebibyte = 2 ** 20;
const restart = { reloadable: false };

/**
 * Every setting, once. The checks, the JSON Schema, the variables and flags, `config show` and the
 * reference are made from this tree; the example is compared with it by a test.
 */
export const settings = {
  listen: {
    host: setting(
      listenHost,
      '127.0.0.1',
      'Address or name to listen on. Beyond loopback the forward proxy serves `forwardProxy.allow` only.',
      { ...restart, flag: '--host <host>' },
    ),
    port: setting(port, 8080, 'Port to listen on; 0 takes a free one.', {
      ...restart,
      flag: '--port <port>',
    }),
    tls: {
      port: optional(
        port,
        'there is none',
        'Port of an HTTPS listener at `listen.host`, with HTTP/2; 0 takes a free one.',
        restart,
      ),
      certificate: optional(
        file,
        "one of the gateway's own authority (`millrace ca create`)",
        'PEM file with the certificate of the HTTPS listener, and what leads to its authority. Read again on SIGHUP.',
      ),
      key: optional(file, 'none', 'PEM file with the key of that certificate.'),
      names: setting(
        listOf(urlHost),
        [],
        "Hosts that a certificate of the gateway's own authority is for, besides the host of `publicUrl`, `listen.host` and loopback.",
      ),
    },
  },
  admin: {
    host: setting(listenHost, '127.0.0.1', 'Address or name of the admin side.', restart),
    port: setting(port, 8081, 'Port of the admin side; 0 takes a free one.', {
      ...restart,
      flag: '--admin-port <port>',
    }),
    token: optional(
      bearerToken,
      'no token is asked for',
      'When set, `/api` on the admin side wants `Authorization: Bearer` with this token.',
      { secret: true },
    ),
    debug: setting(
      trueOrFalse,
      false,
      'Serves CPU profiles and heap snapshots below `/debug` on the admin side, to loopback only.',
    ),
  },
  publicUrl: optional(
    publicUrl,
    "the request's own host, or what a trusted proxy forwards",
    'URL under which clients reach the gateway; rewritten documents point there.',
  ),
  trustedProxies: setting(
    listOf(addressRange),
    [],
    'Addresses or networks of proxies whose `Forwarded` and `X-Forwarded-*` fields are believed.',
  ),
  data: setting(
    folder,
    './data',
    'Folder of the cache. In a file it is relative to the folder of that file, elsewhere to the working directory.',
    { ...restart, flag: '--data <dir>' },
  ),
  memory: setting(byteSize(mebibyte), '256MiB', 'Hard bound of the memory tier.', restart),
  memoryLimit: optional(
    byteSize(64 * mebibyte),
    "the container's limit, or three quarters of the machine's memory",
    'The memory that the process may have: from three quarters of it on the memory tier shrinks, then the number of parallel connections.',
  ),
  disk: setting(byteSize(mebibyte), '20GiB', 'Hard bound of the disk tier.', restart),
  logLevel: setting(oneOf(logLevels), 'info', 'The least grave lines that are still logged.', {
    flag: '--log-level <level>',
  }),
  accessLog: setting(
    trueOrFalse,
    true,
    'Whether each request has a line, at `info`. Without them a failed one still has its own, at `warn`.',
  ),
  logFormat: setting(
    oneOf(['auto', 'json', 'pretty']),
    'auto',
    '`auto` is pretty on a terminal and JSON elsewhere.',
    restart,
  ),
  fastPath: setting(
    trueOrFalse,
    true,
    'Whether hits are answered before the HTTP server reads the request. Without it answers are the same, but slower.',
    restart,
  ),
  negativeTtl: setting(
    duration(0, 3_650 * day),
    '10s',
    'How long a 404 or 410 is kept when it does not say so itself; 0 keeps none.',
  ),
  staleIfError: setting(
    duration(0, 3_650 * day),
    '1d',
    'How long past its freshness a stored response may stand in for a failing upstream, unless the response says otherwise (RFC 5861).',
  ),
  staleOnDisconnect: setting(
    trueOrFalse,
    true,
    'Whether a stale response may also stand in where the upstream gives no answer at all; `false` leaves only its answers 500, 502, 503 and 504.',
  ),
  cacheControlFields: setting(
    listOf(fieldName),
    ['Millrace-Cache-Control', 'CDN-Cache-Control'],
    'Targeted fields of responses that take the place of `Cache-Control` and `Expires`, by precedence (RFC 9213).',
  ),
  storeSetCookie: setting(
    oneOf(setCookieRules),
    'explicit',
    'Whether a response that sets a cookie is stored: `explicit` where it says how long it is fresh or that it is public, `always` as any other response, `never` not at all.',
  ),
  storeServerErrors: setting(
    trueOrFalse,
    true,
    'Whether a 5xx is stored where it says how long it is fresh, as any other response; `false` stores none.',
  ),
  debugToken: optional(
    bearerToken,
    'no request gets it',
    'A request whose field `Millrace-Debug` holds this token learns the key of its resource in `Cache-Status`. The field is never forwarded.',
    { secret: true },
  ),
  timeouts: {
    connect: setting(duration(1, day), '5s', 'For a connection to an upstream.', restart),
    firstByte: setting(
      duration(1, day),
      '30s',
      'From a request to the head of its response.',
      restart,
    ),
    idle: setting(
      duration(1, day),
      '30s',
      'Between two pieces of a body; a transfer that moves is never cut off.',
      restart,
    ),
    floor: setting(
      duration(1, day),
      '2s',
      'Where another mirror could be asked instead, these times shrink to what a mirror usually takes, but never below this.',
      restart,
    ),
  },
  upstreamHttp2: setting(
    trueOrFalse,
    true,
    'Upstreams and mirrors over TLS that speak HTTP/2 are asked over it, many requests on one connection; large objects and their parallel parts still have connections of their own.',
    restart,
  ),
  region: optional(
    region,
    'nobody knows',
    'Where the gateway is: before anything is measured, upstreams and mirrors of the same `region` come first.',
  ),
  limits: {
    concurrency: optional(
      places,
      '256, for mirrors of others 8',
      'Requests to one origin at a time where neither the upstream nor its ecosystem has a limit; more of them queue.',
    ),
    ecosystems: setting(
      listOf(ecosystemLimit),
      [],
      'The same for the origins of an ecosystem, such as `npm=16`.',
    ),
    connections: setting(
      places,
      8,
      'Connections at once for one large object that comes slowly, 8 to each mirror at the most: with more than 1 it comes in parallel ranges.',
    ),
    bandwidth: optional(
      byteRate,
      'no limit',
      'The most that is taken from all upstreams and mirrors together.',
    ),
  },
  shutdownGrace: setting(
    duration(0, day),
    '30s',
    'How long running transfers may take to finish after SIGTERM or SIGINT.',
  ),
  forwardProxy: {
    allow: setting(
      listOf(hostPattern),
      [],
      'Hosts that the forward proxy serves besides those of the mounts: names, `*.suffix`, addresses or networks, each with `:port` if only that one is meant. Private targets need to be named here.',
    ),
    tunnelPorts: setting(
      listOf(targetPort),
      [443],
      'Ports that tunnels (`CONNECT`, for `https://` URLs) may go to; with none only a pattern of `allow` with its `:port` lets one through.',
    ),
    intercept: optional(
      listOf(hostPattern),
      'the https hosts that mounts and ecosystems know',
      'Hosts whose tunnels are intercepted, so that the cache serves them, once there is an authority (`millrace ca create`); an empty list intercepts none.',
    ),
    tunnelIdle: setting(
      duration(1, day),
      '5m',
      'How long a tunnel may stand still; one that moves is never cut off.',
    ),
  },
  mirrorPresets: setting(
    listOf(oneOf(presetNames)),
    [],
    'Rules that come with Millrace, by the names of the files in `config/mirrors/`: well-known public mirrors.',
  ),
  mirrors,
  mounts,
};
