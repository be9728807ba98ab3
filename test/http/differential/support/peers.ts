import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { hostPath } from '../../../clients/support/tools.ts';
import { temporaryFolder } from '../../../support/gateway.ts';

export type PeerName = 'nginx' | 'squid' | 'varnish';

/** The command of each. */
export const commands: Readonly<Record<PeerName, string>> = {
  nginx: 'nginx',
  squid: 'squid',
  varnish: 'varnishd',
};

/** Where Debian has daemons, and a user's path may not look. */
export const daemonPath: string = [hostPath, '/usr/sbin', '/usr/local/sbin'].join(delimiter);

/**
 * Starts one in the foreground, in front of an origin (`http://127.0.0.1:port`), with its cache in
 * memory or in a folder that goes with the test. Returns its URL; it is ended with the test.
 */
export async function startPeer(name: PeerName, origin: string): Promise<string> {
  const folder = await temporaryFolder();
  const port = await freePort();
  const args = await arguments_[name](folder, port, Number(new URL(origin).port));
  const child = spawn(commands[name], args, {
    cwd: folder,
    env: { PATH: daemonPath, HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const exited = ended.then(([code]) => {
    throw new Error(`${name} ended with ${code}: ${said}`);
  });
  await Promise.race([accepting(port), exited]);
  exited.catch(() => undefined);
  return `http://127.0.0.1:${port}`;
}

/** Writes what it reads, and gives its command line. */
type Arguments = (folder: string, port: number, originPort: number) => Promise<string[]>;

const arguments_: Readonly<Record<PeerName, Arguments>> = {
  async nginx(folder, port, originPort) {
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    const paths = temporary.map((each) => `${each}_temp_path ${folder}/${each};`).join('\n');
    const file = join(folder, 'nginx.conf');
    await mkdir(join(folder, 'logs'));
    await writeFile(
      file,
      `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
      events {}
      http {
        access_log off;
        ${paths}
        proxy_cache_path ${folder}/cache keys_zone=all:1m;
        server {
          listen 127.0.0.1:${port};
          location / {
            proxy_pass http://127.0.0.1:${originPort};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_cache all;
            proxy_cache_revalidate on;
            proxy_cache_use_stale error timeout http_500 http_502 http_503 http_504;
          }
        }
      }`,
    );
    return ['-p', folder, '-c', file];
  },
  async squid(folder, port, originPort) {
    const file = join(folder, 'squid.conf');
    await writeFile(
      file,
      `http_port 127.0.0.1:${port} accel defaultsite=127.0.0.1:${originPort}
      cache_peer 127.0.0.1 parent ${originPort} 0 no-query originserver
      never_direct allow all
      http_access allow all
      cache_mem 16 MB
      memory_cache_shared off
      access_log none
      cache_log /dev/null
      cache_store_log none
      netdb_filename none
      pid_filename none
      pinger_enable off
      icp_port 0
      htcp_port 0
      snmp_port 0
      shutdown_lifetime 0 seconds
      coredump_dir none`,
    );
    return ['-N', '-f', file];
  },
  async varnish(folder, port, originPort) {
    const backend = `127.0.0.1:${originPort}`;
    const where = ['-F', '-j', 'none', '-n', join(folder, 'varnish'), '-T', 'none'];
    // An error is no reason to be asked for less often, and grace is not what the response allows.
    const rules = ['-p', 'default_grace=0', '-p', 'default_keep=60'];
    return [...where, '-a', `127.0.0.1:${port}`, '-b', backend, '-s', 'malloc,16m', ...rules];
  },
};

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Resolves once something takes connections there. */
async function accepting(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (open) return;
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}
