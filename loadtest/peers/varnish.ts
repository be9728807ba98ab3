import { spawnSync } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Peer } from './peer.ts';
import { freePort, startServer } from './server-process.ts';

/** Varnish with memory for all that the scenarios store. */
export const varnish: Peer = {
  name: 'varnish',
  package: 'varnish',
  version: () => {
    const { status, stderr } = spawnSync('varnishd', ['-V'], { encoding: 'utf8' });
    return status === 0 ? stderr.split('\n', 1)[0] : undefined;
  },
  async start(bench, settings) {
    const [originUrl] = await bench.upstreams(settings);
    const folder = await bench.folder('varnish');
    // Its child gives up root's rights, and works here afterwards.
    await chmod(folder, 0o777);
    const port = await freePort();
    const vcl = join(folder, 'main.vcl');
    await writeFile(vcl, program(new URL(originUrl)));
    return startServer(bench, {
      name: 'varnish',
      command: 'varnishd',
      args: [
        ['-F', '-a', `127.0.0.1:${port}`, '-f', vcl, '-n', join(folder, 'state')],
        // Memory enough for every scenario: no object is evicted.
        ['-s', 'default,2g', '-s', 'Transient=malloc,256m'],
        // No management port.
        ['-T', 'none'],
        // One core: one pool, threads enough for the 200 clients of the herd, made before they come.
        parameter('thread_pools', '1'),
        parameter('thread_pool_min', '300'),
        parameter('thread_pool_max', '1000'),
        // A connection is its thread's for as long as requests follow at once.
        parameter('timeout_linger', '0.05'),
        parameter('timeout_idle', '3600'),
        // A paced origin and a slow reader are no reason to give up.
        parameter('between_bytes_timeout', '60'),
        parameter('send_timeout', '3600'),
        parameter('idle_send_timeout', '3600'),
        // Large bodies in few pieces; what is fetched goes on to readers in such steps, too.
        parameter('fetch_chunksize', '256k'),
        parameter('fetch_maxchunksize', '16m'),
        // No access log: nothing of a request is written to its shared memory.
        parameter(
          'vsl_mask',
          '-ReqStart,-ReqMethod,-ReqURL,-ReqProtocol,-ReqHeader,-ReqUnset,-ReqAcct,-RespProtocol,-RespStatus,-RespReason,-RespHeader,-RespUnset,-Timestamp,-VCL_call,-VCL_return,-Hit,-Length,-Begin,-End,-Link,-SessOpen,-SessClose',
        ),
      ].flat(),
      folder,
      port,
      graceMs: 3_000,
    });
  },
};

function parameter(name: string, value: string): readonly string[] {
  return ['-p', `${name}=${value}`];
}

function program({ hostname, port }: URL): string {
  return `vcl 4.1;
backend origin {
  .host = "${hostname}";
  .port = "${port}";
  .max_connections = 1000;
}
sub vcl_backend_response {
  set beresp.ttl = 7d;
  return (deliver);
}
`;
}
