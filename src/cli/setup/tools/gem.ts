import { join } from 'node:path';
import { bundleFor, neededTrust, onlyForUser, plainProxy, proxyVariables } from '../common.ts';
import { withYamlSetting, yamlStrings } from '../edits/yaml.ts';
import { given } from '../places.ts';
import { type FileEdit, mountUrl, type Tool } from '../tool.ts';

const publicHosts = /^https?:\/\/(?:index\.)?rubygems\.org\/?$/;

/** RubyGems: `~/.gemrc`. Its proxy is in the environment. guides.rubygems.org/command-reference */
export const gem: Tool = {
  id: 'gem',
  programs: ['gem'],
  ecosystem: 'gems',
  overrides: { registry: [], proxy: [] },
  plan(ask) {
    const { place, gateway, mode } = ask;
    onlyForUser(ask, 'gem', 'leave out --scope, or use bundler, which has one');
    if (mode === 'proxy') {
      neededTrust(ask, 'gem');
      plainProxy(ask, 'gem');
    }
    const path = userFile(place.home, given(place.env.XDG_CONFIG_HOME), place.read);
    const bundle = bundleFor(ask, 'gem');
    let text = place.read(path);
    if (mode === 'registry') {
      const url = `${mountUrl(gateway, 'gems')}/`;
      const others = yamlStrings(text, ':sources', path).filter(
        (source) => source !== url && !publicHosts.test(source),
      );
      const target = { key: ':sources', value: [url, ...others], file: path };
      text = withYamlSetting(text, target);
    }
    if (bundle)
      text = withYamlSetting(text, { key: ':ssl_ca_cert', value: bundle.path, file: path });
    const files: FileEdit[] = bundle ? [bundle] : [];
    if (text !== undefined) files.push({ path, content: text });
    return {
      files,
      ...(mode === 'proxy' && { env: proxyVariables(ask) }),
      ...(bundle && { trustFile: bundle.path }),
    };
  },
};

/** gem reads the old place, and where there is nothing the new one. */
function userFile(
  home: string,
  config: string | undefined,
  read: (path: string) => unknown,
): string {
  const old = join(home, '.gemrc');
  const other = join(config ?? join(home, '.config'), 'gem/gemrc');
  return read(old) === undefined && read(other) !== undefined ? other : old;
}
