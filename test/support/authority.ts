import { Authority, createAuthority } from '../../src/tls/authority.ts';
import { writeAuthority } from '../../src/tls/authority-files.ts';
import { temporaryFolder } from './gateway.ts';

/** A data folder with an authority for loopback. */
export async function dataWithAuthority(): Promise<{ data: string; authority: Authority }> {
  const data = await temporaryFolder();
  const pems = await createAuthority({ permitted: [], now: Date.now() });
  await writeAuthority(data, pems);
  return { data, authority: await Authority.open(pems) };
}
