import { join } from 'node:path';
import { bundleFor, neededTrust, onlyForUser, proxyVariables } from '../common.ts';
import { plainStyle, withSetting } from '../edits/settings-file.ts';
import { configHome, given } from '../places.ts';
import { mountUrl, type Place, refuse, type Tool } from '../tool.ts';

/**
 * Go: the file of `go env -w`. Its proxy and its certificates are in the environment alone.
 * go.dev/ref/mod#environment-variables
 */
export const go: Tool = {
  id: 'go',
  programs: ['go'],
  ecosystem: 'go',
  overrides: { registry: ['GOPROXY'], proxy: ['GOPROXY'] },
  plan(ask) {
    const { place, gateway, mode } = ask;
    onlyForUser(ask, 'go', 'leave out --scope, or set GOPROXY for the project in its environment');
    const bundle = bundleFor(ask, 'go');
    const files = bundle ? [bundle] : [];
    const trust = bundle && { env: { SSL_CERT_FILE: bundle.path }, trustFile: bundle.path };
    if (mode === 'proxy') {
      neededTrust(ask, 'go');
      return { files, ...trust, env: { ...proxyVariables(ask), ...trust?.env } };
    }
    const path = settingsFile(place);
    // Modules that no proxy has come from their own repository, as without the gateway.
    const value = `${mountUrl(gateway, 'go')},direct`;
    const content = withSetting(place.read(path), plainStyle, undefined, 'GOPROXY', value);
    return { files: [...files, { path, content }], ...trust };
  },
};

function settingsFile(place: Place): string {
  const named = given(place.env.GOENV);
  if (named === 'off') refuse('GOENV is off, with which go reads no settings: unset it');
  if (named !== undefined) return named;
  const { platform, home } = place;
  const folder =
    platform === 'darwin' ? join(home, 'Library/Application Support') : configHome(place);
  return join(folder, 'go/env');
}
