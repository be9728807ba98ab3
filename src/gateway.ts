import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { restartNeeded } from './config/compare.ts';
import type { Config } from './config/config.ts';
import type { Logger } from './core/logger.ts';
import { matchesAddress } from './core/network.ts';
import type { RequestRecord } from './core/request-record.ts';
import { createDebug } from './gateway-debug.ts';
import { responseFields } from './gateway-fields.ts';
import { type LogIo, openLog } from './gateway-log.ts';
import { MemoryGuard, type MemoryProbe, memorySettings } from './gateway-memory.ts';
import {
  mirrorOrigins,
  mirrorSettings,
  rememberMirrors,
  warnOfUnreachable,
} from './gateway-mirrors.ts';
import { type OwnProcess, openReclaimer } from './gateway-reclaim.ts';
import { allowedHosts, createRouting, upstreamOrigins } from './gateway-routing.ts';
import { closeServers, createSecureListener, leadsTo, listenOn } from './gateway-servers.ts';
import { openStore } from './gateway-store.ts';
import { GatewayTls } from './gateway-tls.ts';
import { createView, sampleState } from './gateway-view.ts';
import { AtHand } from './pipeline/at-hand.ts';
import { HashThread } from './pipeline/hash-thread.ts';
import { Serve } from './pipeline/serve.ts';
import { Transfers } from './pipeline/transfers.ts';
import { createMemoryStore } from './storage/engines/memory.ts';
import { type Admin, createAdmin } from './surfaces/admin.ts';
import { ConnectHandler } from './surfaces/connect.ts';
import { FastPath } from './surfaces/fast-path.ts';
import { GatewayHandler } from './surfaces/gateway-handler.ts';
import { Http2Connections } from './surfaces/http2-connections.ts';
import { Interceptor } from './surfaces/interceptor.ts';
import { createListener, type RefusedHead } from './surfaces/listener.ts';
import { Passthrough } from './surfaces/passthrough.ts';
import { SecureConnections } from './surfaces/secure-connections.ts';
import type { ProcessProbe } from './telemetry/state-sample.ts';
import { createTelemetry } from './telemetry/telemetry.ts';
import { appendVia, viaLoops, viaPseudonym } from './telemetry/via.ts';
import { createDownloader } from './upstream/download.ts';
import { Mirrors } from './upstream/mirrors.ts';
import { createPassthroughAgents } from './upstream/passthrough-agents.ts';
import { createTransport } from './upstream/transport.ts';
import { toGatewayError } from './upstream/transport-errors.ts';
import { openTunnel } from './upstream/tunnel.ts';
import { withBearerTokens } from './upstream/with-bearer-tokens.ts';
import { withObserver } from './upstream/with-observer.ts';

/** What a gateway has of the process it runs in. */
export interface GatewayIo extends OwnProcess, LogIo {
  readonly probe: ProcessProbe & MemoryProbe;
  readonly version: string;
  readonly nodeVersion: string;
  /** Milliseconds since the epoch, instead of the system's clock. */
  readonly now?: () => number;
}

/** Where a gateway listens. */
export interface Addresses {
  readonly url: string;
  readonly adminUrl: string;
  /** Of the HTTPS listener, where there is one. */
  readonly secureUrl?: string;
}

export interface Gateway {
  /** Rejects with Node's error where a port is not to be had. */
  listen(): Promise<Addresses>;
  /** Takes a new configuration from the next request on; the settings that wait for a restart. */
  reload(config: Config): Promise<readonly string[]>;
  /** Stops accepting, lets transfers finish for the grace time, closes. */
  close(): Promise<void>;
  readonly log: Logger;
}

/** Builds a gateway from its configuration: the one place where the parts meet. */
export async function createGateway(initial: Config, io: GatewayIo): Promise<Gateway> {
  let config = initial;
  let routing = createRouting(config);
  let address: string | undefined;
  const now = io.now ?? Date.now;
  const log = openLog(config, io);
  const connections = new SecureConnections({
    http1: (socket) => void listener.emit('connection', socket),
    http2: (socket) => http2.take(socket),
  });
  const tls = await GatewayTls.open(config, { connections, now, log });
  const tier = createMemoryStore({ maxBytes: config.memory });
  const store = await openStore(tier, config, log);
  const telemetry = createTelemetry({
    logger: log,
    clock: now,
    origins: upstreamOrigins(config),
    sample: () => sampleState(store, serve, mirrors, tunnels, memoryGuard, lookups()),
    probe: io.probe,
    version: io.version,
    nodeVersion: io.nodeVersion,
  });

  const mirrors = new Mirrors(now, mirrorSettings(config));
  const mirrorMemory = await rememberMirrors(join(config.data, 'mirrors.json'), mirrors, log);
  const connecting = {
    connectTimeoutMs: config.timeouts.connect,
    allowAddress: (ip: string, port: number) => matchesAddress(allowedHosts(config), ip, port),
  };
  const observed = withObserver(
    createTransport({
      ...connecting,
      firstByteTimeoutMs: config.timeouts.firstByte,
      idleTimeoutMs: config.timeouts.idle,
      http2: config.upstreamHttp2,
      now,
      readers: () => serve.activity.readers,
      onConnect: (origin, milliseconds) => mirrors.connected(origin, milliseconds),
    }),
    telemetry.upstream,
  );
  const placeOf = (url: string) => routing.router.tokensAt(url);
  const transport = withBearerTokens(observed, { placeOf, log, now });
  const agents = createPassthroughAgents(connecting);
  const pseudonym = viaPseudonym(randomUUID());
  const downloader = createDownloader(transport, {
    mirrors,
    redirectTrusted: (url) => routing.router.isUpstream(url),
    now,
  });
  const closing = new AbortController();
  let probing = Promise.resolve();
  const probe = (origins: ReadonlyMap<string, boolean>): void => {
    const { signal } = closing;
    const onConnect = (origin: string, ms: number): void => mirrors.connected(origin, ms);
    const options = { connecting, signal, onConnect, log };
    probing = probing.then(() => warnOfUnreachable(origins, mirrors, options));
  };
  const via = (existing: string | undefined) => appendVia(existing, '1.1', pseudonym);
  const reclaimer = openReclaimer(io, { fills: () => serve.activity.fills, now, log });
  const memoryGuard = new MemoryGuard({
    probe: io.probe,
    tier,
    log,
    settings: () => memorySettings(config, initial),
    relieve: (rises) => reclaimer?.relieve(rises) === true,
  });
  const mostConnections = (): number => memoryGuard.connections;
  const transfers = new Transfers();
  const hashing = new HashThread({ log });
  const noted = { transfers, mostConnections, hashing };
  const serve = new Serve({ store, downloader, log, now, via, ...noted });
  const passthrough = new Passthrough({
    agentFor: (url, trusted) => agents.for(url, trusted),
    idleTimeoutMs: Math.max(config.timeouts.firstByte, config.timeouts.idle),
    toGatewayError: (error) => toGatewayError(error, 'waiting'),
  });
  const record = (record: RequestRecord): void => telemetry.record(record);
  const lookups = () => [tls.lookups, ...(fastPath ? [fastPath.lookups] : [])];
  const answering = { routing: () => routing, fields: responseFields, now };
  const fastPath = config.fastPath
    ? new FastPath({ ...answering, store, handler: () => handler, telemetry })
    : undefined;
  const handler = new GatewayHandler({
    ...answering,
    originFor: (socket) => connections.originFor(socket),
    serve,
    atHand: new AtHand({ store, now }),
    passthrough,
    via: {
      append: (existing, version) => appendVia(existing, version, pseudonym),
      loops: (existing) => viaLoops(existing, pseudonym),
    },
    upstream: telemetry.upstream,
    log,
    ...(fastPath && { answered: fastPath.learn }),
    record,
  });
  const tunnels = new ConnectHandler({
    rules: () => routing.forwardProxy,
    open: (target, signal) => openTunnel(target, connecting, signal),
    interceptor: new Interceptor({
      terminatorFor: (authority) => tls.terminatorFor(authority),
      record,
    }),
    isOwn: (socket) => leadsTo(socket, [listener, secureListener, admin]),
    loops: (existing) => viaLoops(existing, pseudonym),
    idleMs: () => config.forwardProxy.tunnelIdle,
    fields: responseFields,
    upstream: telemetry.upstream,
    now,
    record,
  });
  const refused = (reason: RefusedHead, client: string): void =>
    log.info({ reason, client }, 'request refused');
  const listener = createListener(handler, tunnels, refused, { fastPath });
  const http2 = new Http2Connections((request, response) => {
    void handler.handle(request, response);
  });
  const secureListener = createSecureListener(() => tls.own, log);

  const view = createView({
    store,
    serve,
    transfers,
    telemetry,
    config: () => config,
    mirrors,
    downloader,
    route: (incoming) => routing.router.route(incoming),
    policyFor: (url) => routing.router.policyFor(url),
    url: () => address,
    version: io.version,
    startedAt: now(),
    now,
  });
  const debug = createDebug();
  const openAdmin = (): Admin =>
    createAdmin({
      view,
      metrics: () => telemetry.scrape(),
      logger: log,
      ...(config.admin.token !== undefined && { token: config.admin.token }),
      debug: config.admin.debug ? debug : undefined,
    });
  let adminSide = openAdmin();
  const admin = createServer((request, response) => {
    // Whoever may use the proxy is not for that reason an operator.
    if (viaLoops(request.headers.via, pseudonym)) response.writeHead(403).end();
    else adminSide.listener(request, response);
  });

  return {
    log,
    async listen() {
      const adminUrl = await listenOn(admin, config.admin);
      const { host, tls } = config.listen;
      const secure =
        tls.port === undefined
          ? {}
          : { secureUrl: await listenOn(secureListener, { host, port: tls.port }, 'https') };
      address = await listenOn(listener, config.listen);
      probe(mirrorOrigins(config));
      return { url: address, adminUrl, ...secure };
    },
    async reload(next) {
      // Against what this process started with: what waits goes on waiting.
      const waiting = restartNeeded(initial, next);
      const before = mirrorOrigins(config);
      config = {
        ...next,
        listen: {
          ...config.listen,
          tls: { ...next.listen.tls, port: config.listen.tls.port },
        },
        admin: { ...config.admin, token: next.admin.token, debug: next.admin.debug },
      };
      routing = createRouting(config);
      await tls.reload(config);
      // Who listens has shown the old token.
      adminSide.close();
      adminSide = openAdmin();
      mirrors.configure(mirrorSettings({ ...config, timeouts: initial.timeouts }));
      probe(new Map([...mirrorOrigins(config)].filter(([origin]) => !before.has(origin))));
      log.level = config.logLevel;
      log.accessLog = config.accessLog;
      telemetry.keepOrigins(upstreamOrigins(config));
      return waiting;
    },
    async close() {
      address = undefined;
      closing.abort();
      memoryGuard.close();
      reclaimer?.close();
      passthrough.close();
      connections.close();
      await Promise.all([
        closeServers(listener, [secureListener], config.shutdownGrace),
        http2.close(config.shutdownGrace),
        tunnels.close(config.shutdownGrace),
      ]);
      adminSide.close();
      await closeServers(admin, [], 0);
      agents.close();
      await transport.close();
      await probing;
      await mirrorMemory.close();
      await hashing.finished();
      await store.close();
      await hashing.close();
      telemetry.close();
    },
  };
}
