import type { Config } from '../config/config.ts';

/** Why the gateway could not start and what to do about it, in a sentence or two. */
export function explainFailure(error: unknown, config: Config): string {
  for (const cause of causesOf(error)) {
    const { code, address, port } = cause as NodeJS.ErrnoException & {
      readonly address?: string;
      readonly port?: number;
    };
    if (address === undefined || port === undefined) continue;
    const where = `${address.includes(':') ? `[${address}]` : address}:${port}`;
    const admin = port === config.admin.port;
    const secure = port === config.listen.tls.port;
    const setting = admin ? 'admin' : secure ? 'listen.tls' : 'listen';
    const flag = admin ? '--admin-port or ' : secure ? '' : '--port or ';
    if (code === 'EADDRINUSE') {
      return `${where} is in use by another program. End that one, or choose another port with ${flag}\`${setting}.port\`.`;
    }
    if (code === 'EACCES') {
      return `${where} may not be used by this user. Choose a port above 1023 with ${flag}\`${setting}.port\`.`;
    }
    if (code === 'EADDRNOTAVAIL') {
      return `${where} is not an address of this host. Choose another with \`${admin ? 'admin' : 'listen'}.host\`.`;
    }
  }
  const messages = causesOf(error).map((cause) => cause.message);
  return `it could not start: ${messages.length > 0 ? messages.join(': ') : String(error)}`;
}

function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (causes.includes(cause)) break;
    causes.push(cause);
  }
  return causes;
}
