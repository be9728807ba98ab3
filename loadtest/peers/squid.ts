import { spawnSync } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Peer } from './peer.ts';
import { freePort, startServer } from './server-process.ts';

/** Squid as an accelerator in front of the origin, all in memory. */
export const squid: Peer = {
  name: 'squid',
  package: 'squid',
  version: () => {
    const { status, stdout } = spawnSync('squid', ['-v'], { encoding: 'utf8' });
    return status === 0 ? stdout.split('\n', 1)[0] : undefined;
  },
  async start(bench, settings) {
    const [originUrl] = await bench.upstreams(settings);
    const folder = await bench.folder('squid');
    // It gives up root's rights, and writes here afterwards.
    await chmod(folder, 0o777);
    const port = await freePort();
    const config = join(folder, 'squid.conf');
    await writeFile(config, configuration(folder, port, new URL(originUrl)));
    return startServer(bench, {
      name: 'squid',
      command: 'squid',
      args: ['-N', '-f', config],
      folder,
      port,
      graceMs: 3_000,
    });
  },
};

function configuration(folder: string, port: number, { hostname, port: origin }: URL): string {
  return `# One process, which is one core.
workers 1
http_port 127.0.0.1:${port} accel defaultsite=${hostname}:${origin} no-vhost
cache_peer ${hostname} parent ${origin} 0 no-query no-digest originserver name=origin
http_access allow all
cache_peer_access origin allow all
never_direct allow all
# Memory enough for every scenario, large objects included: no hit comes from a disk.
cache_mem 2048 MB
maximum_object_size 2048 MB
maximum_object_size_in_memory 2048 MB
memory_cache_mode always
# With one worker memory that is shared with others only costs.
memory_cache_shared off
memory_replacement_policy lru
# One fetch for many who ask for the same.
collapsed_forwarding on
# A range of what is not there yet fetches the whole, so that the next one is a hit.
range_offset_limit none
# What is begun is finished, also when its client leaves.
quick_abort_min -1 KB
read_ahead_gap 512 KB
# Connections stay open on both sides.
client_persistent_connections on
server_persistent_connections on
client_idle_pconn_timeout 1 hour
pconn_lifetime 0
max_filedescriptors 16384
# No logs, no queries, no more than what it takes.
access_log none
cache_store_log none
cache_log ${folder}/cache.log
logfile_rotate 0
pid_filename ${folder}/squid.pid
coredump_dir ${folder}
pinger_enable off
netdb_filename none
via off
forwarded_for delete
shutdown_lifetime 0 seconds
`;
}
