import { spawnSync } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { Peer } from './peer.ts';
import { freePort, startServer } from './server-process.ts';

/** Apache Traffic Server as a reverse proxy, its objects on disk and in a memory cache in front. */
export const trafficserver: Peer = {
  name: 'trafficserver',
  package: 'trafficserver',
  version: () => {
    const { status, stdout } = spawnSync('traffic_server', ['-V'], { encoding: 'utf8' });
    return status === 0 ? stdout.split('\n', 1)[0]?.trim() : undefined;
  },
  async start(bench, settings) {
    const [originUrl] = await bench.upstreams(settings);
    const folder = await bench.folder('trafficserver');
    const port = await freePort();
    // It gives up root's rights, and writes here afterwards.
    await chmod(folder, 0o777);
    for (const name of ['etc', 'run', 'log', 'cache']) {
      await mkdir(join(folder, name));
      await chmod(join(folder, name), 0o777);
    }
    const etc = (name: string, text: string): Promise<void> =>
      writeFile(join(folder, 'etc', name), text);
    await etc('records.config', records(folder, port));
    await etc('storage.config', `${folder}/cache 4G\n`);
    await etc('remap.config', `map / ${originUrl}/\n`);
    await etc('ip_allow.yaml', allow);
    await etc('logging.yaml', 'logging: {}\n');
    for (const name of ['plugin.config', 'cache.config', 'parent.config', 'hosting.config']) {
      await etc(name, '');
    }
    for (const name of ['volume.config', 'splitdns.config', 'ssl_multicert.config']) {
      await etc(name, '');
    }
    await writeFile(join(folder, 'runroot.yaml'), layout(folder));
    return startServer(bench, {
      name: 'trafficserver',
      command: 'traffic_server',
      args: [`--run-root=${join(folder, 'runroot.yaml')}`],
      folder,
      port,
      graceMs: 3_000,
    });
  },
};

const allow = `ip_allow:
  - { apply: in, ip_addrs: 0/0, action: allow, methods: ALL }
`;

function layout(folder: string): string {
  return `prefix: ${folder}
bindir: /usr/bin
libdir: /usr/lib/trafficserver
plugindir: /usr/lib/trafficserver/modules
sysconfdir: ${folder}/etc
localstatedir: ${folder}/run
runtimedir: ${folder}/run
logdir: ${folder}/log
cachedir: ${folder}/cache
datadir: ${folder}/cache
`;
}

function records(folder: string, port: number): string {
  const settings: readonly (readonly [name: string, type: 'INT' | 'STRING', value: string])[] = [
    ['http.server_ports', 'STRING', `${port}:ip-in=127.0.0.1`],
    // One core: one thread for connections, a few for the disk.
    ['exec_thread.autoconfig', 'INT', '0'],
    ['exec_thread.limit', 'INT', '1'],
    ['accept_threads', 'INT', '0'],
    ['task_threads', 'INT', '1'],
    ['cache.threads_per_disk', 'INT', '4'],
    // Memory enough for every scenario, large objects included, from the first hit on.
    ['cache.ram_cache.size', 'INT', '2147483648'],
    ['cache.ram_cache_cutoff', 'INT', '268435456'],
    ['cache.ram_cache.algorithm', 'INT', '1'],
    ['cache.ram_cache.use_seen_filter', 'INT', '0'],
    // The index is made for so many objects: of 8000 bytes unless said.
    ['cache.min_average_object_size', 'INT', '8000'],
    // Those who come while a fetch runs read from it.
    ['cache.enable_read_while_writer', 'INT', '1'],
    ['http.background_fill_active_timeout', 'INT', '0'],
    ['http.background_fill_completed_threshold', 'STRING', '0.0'],
    ['cache.max_doc_size', 'INT', '0'],
    ['http.cache.open_write_fail_action', 'INT', '0'],
    ['http.cache.max_open_read_retries', 'INT', '1000'],
    ['http.cache.open_read_retry_time', 'INT', '10'],
    // Answers whatever it is asked before the disk's cache is there by waiting.
    ['http.wait_for_cache', 'INT', '2'],
    ['http.cache.required_headers', 'INT', '0'],
    // Connections stay open on both sides, and as many as come.
    ['http.keep_alive_no_activity_timeout_in', 'INT', '3600'],
    ['http.keep_alive_no_activity_timeout_out', 'INT', '3600'],
    ['http.transaction_no_activity_timeout_in', 'INT', '3600'],
    ['http.transaction_no_activity_timeout_out', 'INT', '3600'],
    ['net.connections_throttle', 'INT', '8192'],
    ['http.server_session_sharing.pool', 'STRING', 'thread'],
    // It refuses to be root; the package makes this user.
    ...(process.getuid?.() === 0 ? [['admin.user_id', 'STRING', 'trafficserver'] as const] : []),
    // No logs, no fields of its own.
    ['log.logging_enabled', 'INT', '0'],
    ['http.insert_request_via_str', 'INT', '0'],
    ['http.insert_response_via_str', 'INT', '0'],
    ['url_remap.remap_required', 'INT', '1'],
    ['url_remap.pristine_host_hdr', 'INT', '0'],
    ['diags.logfile.filename', 'STRING', 'diags.log'],
    ['crash_log_helper', 'STRING', 'NULL'],
    ['core_limit', 'INT', '0'],
    ['body_factory.template_sets_dir', 'STRING', `${folder}/etc`],
  ];
  return settings
    .map(([name, type, value]) => `CONFIG proxy.config.${name} ${type} ${value}\n`)
    .join('');
}
