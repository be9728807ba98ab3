import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { addCaCommand, describeAuthority, existingAuthority } from './ca.ts';
import { type CliIo, exitCode } from './io.ts';

const anyHost = 'let it sign for any host, not only for those of the configuration';

/** `millrace ca create`: makes the authority that intercepted tunnels and the HTTPS listener need. */
export function addCaCreate(parent: Command, io: CliIo, finish: (code: number) => void): void {
  const command = parent
    .command('create')
    .description('make a local certificate authority for the hosts of the configuration')
    .option('--any-host', anyHost);
  addCaCommand(command, io, finish, async (config) => {
    const { authorityPlaces, readAuthority } = await import('../tls/authority-files.ts');
    if ((await readAuthority(config.data)) !== undefined) {
      const { certificate } = authorityPlaces(config.data);
      throw new TypeError(`there is an authority already, ${certificate}: see millrace ca rotate`);
    }
    await make(config, command, io);
    return exitCode.ok;
  });
}

/** `millrace ca rotate`: a new key; the old authority vouches for the new one until its own end. */
export function addCaRotate(parent: Command, io: CliIo, finish: (code: number) => void): void {
  const command = parent
    .command('rotate')
    .description('make a new authority in place of the old one, which vouches for it')
    .option('--any-host', anyHost);
  addCaCommand(command, io, finish, async (config) => {
    await make(config, command, io, await existingAuthority(config));
    io.stdout.write(
      'Clients that trust the one before go on working until it ends; give them the new one by then.\n',
    );
    return exitCode.ok;
  });
}

async function make(
  config: Config,
  command: Command,
  io: CliIo,
  previous?: Awaited<ReturnType<typeof existingAuthority>>,
): Promise<void> {
  const { createAuthority } = await import('../tls/authority.ts');
  const { authorityPlaces, writeAuthority } = await import('../tls/authority-files.ts');
  const { certifiedHosts } = await import('../gateway-hosts.ts');
  const permitted = command.opts().anyHost === true ? undefined : certifiedHosts(config);
  const now = (io.now ?? Date.now)();
  await writeAuthority(
    config.data,
    await createAuthority({ permitted, now, ...(previous && { previous }) }),
  );
  const { certificate, key } = authorityPlaces(config.data);
  io.stdout.write(
    `${describeAuthority(await existingAuthority(config))}\ncertificate  ${certificate}\nkey          ${key}\n\n` +
      'A running gateway uses it from its next SIGHUP on. Clients have to trust it:\n' +
      '  millrace ca install            this system\n' +
      '  millrace ca export > ca.pem    for npm config set cafile ca.pem, PIP_CERT=ca.pem and so on\n',
  );
}
