import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { hasEnded, startPinned, stop } from '../processes/start.ts';
import { waitFor } from '../processes/wait-for.ts';
import type { Peer } from './peer.ts';

/** nginx as a cache, tuned as its manual advises: one worker, open files kept, upstream connections kept. */
export const nginx = nginxPeer('nginx', true);

/** The same without sendfile: whichever is faster is what Millrace is compared with. */
export const nginxCopy = nginxPeer('nginx-copy', false);

function nginxPeer(name: string, sendfile: boolean): Peer {
  return {
    name,
    package: 'nginx-light',
    version: () => {
      const { status, stderr } = spawnSync('nginx', ['-v'], { encoding: 'utf8' });
      return status === 0 ? stderr.trim().replace('nginx version: ', '') : undefined;
    },
    async start(bench, settings) {
      const { disk } = settings;
      const [originUrl] = await bench.upstreams(settings);
      const folder = await bench.folder(name);
      const port = await freePort();
      const config = join(folder, 'nginx.conf');
      await writeFile(config, configuration({ folder, port, disk, sendfile, originUrl }));
      const logFile = join(folder, 'error.log');
      const log = await open(logFile, 'w');
      const child = startPinned(
        'nginx',
        ['-p', folder, '-c', config, '-e', logFile],
        bench.cores.server,
        { stdio: ['ignore', log.fd, log.fd] },
      );
      await log.close();
      const ended = (): string | undefined =>
        hasEnded(child) ? `${name} ended (${child.signalCode ?? child.exitCode})` : undefined;
      try {
        await waitFor(`${name} to listen`, async () => {
          const why = ended();
          if (why !== undefined) throw new Error(`${why}: ${await readFile(logFile, 'utf8')}`);
          return accepts(port);
        });
      } catch (error) {
        await stop(child);
        throw error;
      }
      return {
        name,
        base: `http://127.0.0.1:${port}`,
        pid: child.pid,
        ended,
        stop: () => stop(child),
      };
    },
  };
}

interface NginxSettings {
  readonly folder: string;
  readonly port: number;
  readonly disk: string;
  readonly sendfile: boolean;
  readonly originUrl: string;
}

function configuration({ folder, port, disk, sendfile, originUrl }: NginxSettings): string {
  // Its workers cannot enter our folder as the user that root would give them.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `${user}
daemon off;
pid ${folder}/nginx.pid;
worker_processes 1;
worker_rlimit_nofile 16384;
events { worker_connections 8192; multi_accept on; }
http {
  sendfile ${sendfile ? 'on' : 'off'};
  sendfile_max_chunk 2m;
  tcp_nopush off;
  tcp_nodelay on;
  output_buffers 2 256k;
  keepalive_requests 1000000000;
  keepalive_timeout 75s;
  open_file_cache max=10000 inactive=1h;
  open_file_cache_valid 1h;
  # The gateway writes its log too.
  access_log ${folder}/access.log combined buffer=64k flush=1s;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/temp;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  proxy_cache_path ${folder}/cache levels=1:2 keys_zone=main:64m max_size=${nginxSize(disk)} inactive=1d use_temp_path=off;
  upstream origin { server ${new URL(originUrl).host}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_cache main;
      proxy_cache_lock on;
      proxy_cache_lock_timeout 10m;
      proxy_cache_lock_age 10m;
      proxy_cache_valid 200 7d;
      proxy_buffer_size 16k;
      proxy_buffers 16 64k;
      proxy_busy_buffers_size 512k;
    }
  }
}
`;
}

/** Millrace's sizes as nginx writes them: `8GiB` is `8g`. */
function nginxSize(size: string): string {
  return size.replace('GiB', 'g').replace('MiB', 'm');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function accepts(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(undefined));
  });
}
