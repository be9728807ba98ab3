import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { type GoModule, type GoProxy, goMod, moduleFiles } from './go-proxy.ts';

/**
 * Gives a proxy a checksum database with one module in it, below `/sumdb/`; what `GOSUMDB` has to
 * say. golang.org/design/25530-sumdb, and the signed notes of golang.org/x/mod/sumdb/note.
 */
export function serveChecksums(proxy: GoProxy, name: string, module: GoModule): string {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  // The key's last 32 bytes are the point itself: RFC 8410 section 4.
  const key = Buffer.concat([
    Buffer.from([1]),
    publicKey.export({ type: 'spki', format: 'der' }).subarray(-32),
  ]);
  const keyHash = createHash('sha256').update(`${name}\n`).update(key).digest().subarray(0, 4);

  const { path, version } = module;
  const lines = [
    `${path} ${version} ${checksum(moduleFiles(module))}`,
    `${path} ${version}/go.mod ${checksum({ 'go.mod': goMod(module) })}`,
  ];
  const record = `${lines.join('\n')}\n`;
  // A tree of one leaf: RFC 6962 section 2.1.
  const leaf = createHash('sha256')
    .update(Buffer.from([0]))
    .update(record)
    .digest();
  const head = `go.sum database tree\n1\n${leaf.toString('base64')}\n`;
  const signature = Buffer.concat([keyHash, sign(null, Buffer.from(head), privateKey)]);
  const note = `${head}\n\u2014 ${name} ${signature.toString('base64')}\n`;

  const base = `/sumdb/${name}`;
  proxy.origin.serve(`${base}/supported`, { body: '' });
  proxy.origin.serve(`${base}/latest`, { body: note });
  proxy.origin.serve(`${base}/lookup/${path}@${version}`, { body: `0\n${record}\n${note}` });
  proxy.origin.serve(`${base}/tile/8/0/000.p/1`, { body: leaf });
  return `${name}+${keyHash.toString('hex')}+${key.toString('base64')}`;
}

/** golang.org/x/mod/sumdb/dirhash: the hash of a list of names and the hashes of their contents. */
function checksum(files: Readonly<Record<string, string>>): string {
  const summary = Object.entries(files)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => `${createHash('sha256').update(text).digest('hex')}  ${name}\n`);
  return `h1:${createHash('sha256').update(summary.join('')).digest('base64')}`;
}
