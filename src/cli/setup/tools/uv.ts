import { join } from 'node:path';
import { bundleFor, neededTrust, proxyVariables } from '../common.ts';
import { withTomlEntry, withTomlString } from '../edits/toml.ts';
import { configHome } from '../places.ts';
import { type Ask, mountUrl, type Plan, type Tool } from '../tool.ts';

/**
 * uv: `uv.toml`, or the `pyproject.toml` of a project that has no other. Its proxy is in the
 * environment alone. docs.astral.sh/uv/concepts/configuration-files
 */
export const uv: Tool = {
  id: 'uv',
  programs: ['uv'],
  ecosystem: 'pypi',
  overrides: {
    registry: ['UV_DEFAULT_INDEX', 'UV_INDEX_URL', 'UV_NO_CONFIG', 'UV_CONFIG_FILE'],
    proxy: ['ALL_PROXY', 'UV_DEFAULT_INDEX', 'UV_INDEX_URL'],
  },
  plan(ask) {
    const bundle = bundleFor(ask, 'uv');
    const files = bundle ? [bundle] : [];
    const trust = bundle && { env: { SSL_CERT_FILE: bundle.path }, trustFile: bundle.path };
    if (ask.mode === 'registry') return { files: [...files, indexEdit(ask)], ...trust };
    neededTrust(ask, 'uv');
    return { files, ...trust, env: { ...proxyVariables(ask), ...trust?.env } };
  },
};

function indexEdit({ place, gateway, scope }: Ask): Plan['files'][number] {
  const inProject = join(place.folder, 'uv.toml');
  const manifest = join(place.folder, 'pyproject.toml');
  const user = join(configHome(place), 'uv/uv.toml');
  // Beside a uv.toml the other file's settings are not read at all: none is made where there is none.
  const usesManifest = place.read(inProject) === undefined && place.read(manifest) !== undefined;
  const path = scope === 'user' ? user : usesManifest ? manifest : inProject;
  const prefix = path === manifest ? ['tool', 'uv'] : [];
  const text = place.read(path);
  const value = `${mountUrl(gateway, 'pypi')}/simple`;
  const name = [...prefix, 'index'].join(String.raw`\.`);
  // An index that is the default one goes before `index-url`.
  const entry =
    text && withTomlEntry(text, name, /^\s*default\s*=\s*true/, 'url', { value, file: path });
  const target = { table: prefix, key: 'index-url', value, file: path };
  return { path, content: entry || withTomlString(text, target) };
}
