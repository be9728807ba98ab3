import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** All below a folder: files with their mode and bytes, links with where they lead, and folders. */
export async function treeOf(folder: string): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (const name of await readdir(folder, { recursive: true })) {
    const path = join(folder, name);
    const stat = await lstat(path);
    tree[name] = stat.isSymbolicLink()
      ? `link to ${await readlink(path)}`
      : stat.isDirectory()
        ? 'folder'
        : `${(stat.mode & 0o7777).toString(8)} ${(await readFile(path)).toString('base64')}`;
  }
  return tree;
}
