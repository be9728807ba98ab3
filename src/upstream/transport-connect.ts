import { lookup as resolve } from 'node:dns/promises';
import {
  isIP,
  type LookupFunction,
  connect as netConnect,
  Socket,
  type TcpNetConnectOpts,
} from 'node:net';
import { type SecureContext, connect as tlsConnect } from 'node:tls';
import { GatewayError } from '../core/errors.ts';
import { isPrivateAddress } from '../core/network.ts';
import type { LargeSlabs } from './large-slabs.ts';
import { ReadBuffer } from './read-buffer.ts';

/** One address of a name. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** Resolves a name to its addresses, in order of preference; rejects as `node:dns` does. */
export type Lookup = (hostname: string) => Promise<readonly ResolvedAddress[]>;

export interface ConnectOptions {
  /** From the look-up to the end of the TLS handshake. */
  readonly connectTimeoutMs: number;
  readonly lookup?: Lookup;
  /** Which private addresses are let through all the same. */
  readonly allowAddress: (ip: string, port: number) => boolean;
  readonly secureContext?: SecureContext;
  /** Without it no read is longer than 256 KiB. */
  readonly largeSlabs?: LargeSlabs;
  /** What is offered over TLS (ALPN, RFC 7301), most wanted first; without it HTTP/1.1 only. */
  readonly protocols?: readonly ('h2' | 'http/1.1')[];
  /** The socket stays writable when the other side has ended: for tunnels. */
  readonly allowHalfOpen?: boolean;
}

/** `tls.connect` has a session for the next connection to the same origin. */
interface SessionSlot {
  session?: Buffer;
}

/** Opens connections to one origin, in `timeoutMs` where that is given. */
export type Connect = (
  callback: (error: Error | undefined, socket?: Socket, reading?: ReadBuffer) => void,
  timeoutMs?: number,
) => Socket;

const systemLookup: Lookup = (hostname) => resolve(hostname, { all: true });

/**
 * How to connect to an origin (`http://host:port`). Unless `trusted`, private addresses are dropped
 * from what the name resolves to, so the address that was checked is the one connected to. The
 * callback hears exactly once; destroying the socket before that makes it hear the error.
 */
export function connector(origin: string, trusted: boolean, options: ConnectOptions): Connect {
  const { protocol, hostname: bracketed, port: portText } = new URL(origin);
  const secure = protocol === 'https:';
  const hostname = bracketed.replace(/^\[|\]$/g, '');
  const port = portText === '' ? (secure ? 443 : 80) : Number(portText);
  const mayConnect = (ip: string): boolean =>
    trusted || !isPrivateAddress(ip) || options.allowAddress(ip, port);
  const sessions: SessionSlot = {};

  return (callback, timeoutMs = options.connectTimeoutMs) => {
    const progress = { resolved: isIP(hostname) !== 0 };
    const target = {
      host: hostname,
      port,
      lookup: guardedLookup(options.lookup ?? systemLookup, mayConnect, progress),
      noDelay: true,
      allowHalfOpen: options.allowHalfOpen ?? false,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
    };
    // Names go through the look-up; an address in the URL is checked here.
    const refused = progress.resolved && !mayConnect(hostname);
    const reading = secure ? undefined : new ReadBuffer(options.largeSlabs);
    const open = (): Socket =>
      reading === undefined ? openSecure(target, options, sessions) : openPlain(target, reading);
    const socket = refused ? new Socket().destroy(prohibited(hostname)) : open();
    const timer = setTimeout(() => socket.destroy(connectTimeout(progress.resolved)), timeoutMs);
    const settle = (error: Error | undefined): void => {
      clearTimeout(timer);
      socket.off(secure ? 'secureConnect' : 'connect', connected);
      socket.off('close', closed);
      if (error === undefined) callback(undefined, socket, reading);
      else callback(error);
    };
    let failure: Error | undefined;
    const connected = (): void => settle(undefined);
    const closed = (): void => settle(failure ?? terminated());
    socket.once(secure ? 'secureConnect' : 'connect', connected);
    socket.once('close', closed);
    // Stays for the socket's life: the error of a connection that nobody uses has nobody to hear it.
    socket.on('error', (error) => {
      failure = error;
    });
    return socket;
  };
}

/** With reads larger than Node's; TLS comes in records of 16 KiB whatever one reads. */
function openPlain(target: TcpNetConnectOpts, reading: ReadBuffer): Socket {
  const socket: Socket = netConnect({
    ...target,
    onread: {
      buffer: () => reading.target(),
      callback: (length) => socket.push(reading.take(length)),
    },
  });
  return socket;
}

function openSecure(
  target: { host: string; port: number },
  { secureContext, protocols = ['http/1.1'] }: ConnectOptions,
  sessions: SessionSlot,
): Socket {
  const socket = tlsConnect({
    ...target,
    // RFC 6066 section 3: an address is no server name.
    ...(isIP(target.host) === 0 && { servername: target.host }),
    ...(secureContext && { secureContext }),
    ...(sessions.session && { session: sessions.session }),
    ALPNProtocols: [...protocols],
    // Said outright, so that no environment variable can switch it off.
    rejectUnauthorized: true,
  });
  return socket.on('session', (session: Buffer) => {
    sessions.session = session;
  });
}

function guardedLookup(
  lookup: Lookup,
  mayConnect: (ip: string) => boolean,
  progress: { resolved: boolean },
): LookupFunction {
  return (hostname, { all }, callback) => {
    lookup(hostname).then(
      (found) => {
        progress.resolved = true;
        const addresses = found.filter(({ address }) => mayConnect(address));
        const [first] = addresses;
        if (first === undefined) {
          callback(found.length === 0 ? noAddress() : prohibited(hostname), '', 0);
        } else if (all === true) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => {
        progress.resolved = true;
        callback(error, '', 0);
      },
    );
  };
}

function prohibited(host: string): GatewayError {
  return new GatewayError(
    'destination_ip_prohibited',
    `${host} is or resolves to a private address, which is not allowed`,
    { origin: 'upstream' },
  );
}

function noAddress(): GatewayError {
  return new GatewayError('dns_error', 'the name of the upstream has no address', {
    origin: 'upstream',
    retryable: true,
  });
}

function connectTimeout(resolved: boolean): GatewayError {
  return resolved
    ? new GatewayError('connection_timeout', 'no connection to the upstream in time', {
        origin: 'upstream',
        retryable: true,
      })
    : new GatewayError('dns_timeout', 'the name of the upstream did not resolve in time', {
        origin: 'upstream',
        retryable: true,
      });
}

function terminated(): GatewayError {
  return new GatewayError(
    'connection_terminated',
    'the upstream closed the connection before it was ready',
    { origin: 'upstream', retryable: true },
  );
}
