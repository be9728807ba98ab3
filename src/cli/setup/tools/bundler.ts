import { join } from 'node:path';
import { bundleFor, neededTrust, plainProxy, proxyVariables } from '../common.ts';
import { withYamlSetting } from '../edits/yaml.ts';
import { given } from '../places.ts';
import { type FileEdit, mountUrl, type Place, type Tool } from '../tool.ts';

/** The key of `mirror.https://rubygems.org` as Bundler writes it. */
const mirrorKey = 'BUNDLE_MIRROR__HTTPS://RUBYGEMS__ORG/';

/** Bundler: a mirror, so that the lockfile does not change. bundler.io/man/bundle-config.1.html */
export const bundler: Tool = {
  id: 'bundler',
  programs: ['bundle', 'bundler'],
  ecosystem: 'gems',
  overrides: { registry: [mirrorKey], proxy: [mirrorKey] },
  plan(ask) {
    const { place, gateway, mode, scope } = ask;
    if (mode === 'proxy') {
      neededTrust(ask, 'bundler');
      plainProxy(ask, 'bundler');
    }
    const path = scope === 'project' ? projectFile(place) : userFile(place);
    const bundle = bundleFor(ask, 'bundler');
    let text = place.read(path);
    if (mode === 'registry') {
      const target = { key: mirrorKey, value: `${mountUrl(gateway, 'gems')}/`, file: path };
      text = withYamlSetting(text, target);
    }
    const files: FileEdit[] = bundle ? [bundle] : [];
    if (text !== undefined) files.push({ path, content: text });
    return {
      files,
      env: {
        ...(mode === 'proxy' && proxyVariables(ask)),
        // Its own setting counts for the index alone: gems are fetched by RubyGems.
        ...(bundle && { SSL_CERT_FILE: bundle.path }),
      },
      ...(bundle && { trustFile: bundle.path }),
    };
  },
};

function userFile({ env, home }: Place): string {
  const named = given(env.BUNDLE_CONFIG) ?? given(env.BUNDLE_USER_CONFIG);
  if (named !== undefined) return named;
  return join(given(env.BUNDLE_USER_HOME) ?? join(home, '.bundle'), 'config');
}

function projectFile({ env, folder }: Place): string {
  return join(given(env.BUNDLE_APP_CONFIG) ?? join(folder, '.bundle'), 'config');
}
