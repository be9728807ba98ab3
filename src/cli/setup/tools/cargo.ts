import { join } from 'node:path';
import { bundleFor, neededTrust } from '../common.ts';
import { withTomlString } from '../edits/toml.ts';
import { given } from '../places.ts';
import { type FileEdit, mountUrl, type Tool } from '../tool.ts';

/** Cargo: `config.toml`, source replacement. doc.rust-lang.org/cargo/reference/config.html */
export const cargo: Tool = {
  id: 'cargo',
  programs: ['cargo'],
  ecosystem: 'cargo',
  overrides: {
    registry: ['CARGO_SOURCE_CRATES_IO_REPLACE_WITH', 'CARGO_SOURCE_MILLRACE_REGISTRY'],
    proxy: ['CARGO_HTTP_PROXY', 'CARGO_HTTP_CAINFO'],
  },
  plan(ask) {
    const { place, gateway, mode, scope } = ask;
    const folder =
      scope === 'project'
        ? join(place.folder, '.cargo')
        : (given(place.env.CARGO_HOME) ?? join(place.home, '.cargo'));
    // Of both the one without an ending goes first.
    const old = join(folder, 'config');
    // Of both this goes first.
    const path = place.read(old) === undefined ? join(folder, 'config.toml') : old;
    const bundle = bundleFor(ask, 'cargo');
    const settings: [string[], string, string][] = [];
    if (mode === 'registry') {
      settings.push(
        [['source', 'crates-io'], 'replace-with', 'millrace'],
        [['source', 'millrace'], 'registry', `sparse+${mountUrl(gateway, 'cargo')}/`],
      );
    } else {
      neededTrust(ask, 'cargo');
      settings.push([['http'], 'proxy', gateway.proxyUrl]);
    }
    if (bundle) settings.push([['http'], 'cainfo', bundle.path]);
    let text = place.read(path);
    for (const [table, key, value] of settings) {
      text = withTomlString(text, { table, key, value, file: path });
    }
    const files: FileEdit[] = [...(bundle ? [bundle] : []), { path, content: text ?? '' }];
    return { files, ...(bundle && { trustFile: bundle.path }) };
  },
};
