import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { Peer } from './peer.ts';
import { freePort, startServer } from './server-process.ts';

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
      return startServer(bench, {
        name,
        command: 'nginx',
        args: ['-p', folder, '-c', config, '-e', join(folder, 'error.log')],
        folder,
        port,
      });
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
# One process, which is one core.
worker_processes 1;
worker_rlimit_nofile 16384;
events { worker_connections 8192; multi_accept on; }
http {
  # The one difference between the two that take part.
  sendfile ${sendfile ? 'on' : 'off'};
  # Without a bound one fast client keeps the worker.
  sendfile_max_chunk 2m;
  tcp_nopush off;
  tcp_nodelay on;
  # Without sendfile: large bodies in pieces of this size.
  output_buffers 2 256k;
  # Connections stay open on both sides, for as many requests as come.
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  # A hit opens no file.
  open_file_cache max=10000 inactive=1h;
  open_file_cache_valid 1h;
  access_log off;
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
      # One fetch for many who ask for the same.
      proxy_cache_lock on;
      proxy_cache_lock_timeout 10m;
      proxy_cache_lock_age 10m;
      proxy_cache_valid 200 7d;
      # A miss of any small object in one read, and large ones in few.
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
