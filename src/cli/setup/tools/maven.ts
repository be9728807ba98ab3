import { join } from 'node:path';
import { neededTrust, onlyForUser, plainProxy } from '../common.ts';
import { escaped, XmlText } from '../edits/xml.ts';
import { javaTrust } from '../java-trust.ts';
import { type Ask, mountUrl, type Tool } from '../tool.ts';

const empty = `<?xml version="1.0" encoding="UTF-8"?>
<settings xmlns="http://maven.apache.org/SETTINGS/1.0.0">
</settings>
`;

/** Maven: `settings.xml`, and the certificates by `.mavenrc`. maven.apache.org/settings.html */
export const maven: Tool = {
  id: 'maven',
  programs: ['mvn'],
  ecosystem: 'maven',
  overrides: { registry: [], proxy: ['MAVEN_SKIP_RC'] },
  plan(ask) {
    onlyForUser(ask, 'maven', 'leave out --scope, or put a <repository> into pom.xml');
    const path = join(ask.place.home, '.m2/settings.xml');
    const settings = new XmlText(ask.place.read(path), empty, path);
    if (ask.mode === 'registry') mirror(settings, `${mountUrl(ask.gateway, 'maven')}`);
    else {
      neededTrust(ask, 'maven');
      proxies(settings, ask);
    }
    const trust = javaTrust(ask, 'maven');
    const file = { path, content: settings.text };
    if (trust === undefined) return { files: [file] };
    const script = join(ask.place.home, '.mavenrc');
    const line = `MAVEN_OPTS="$MAVEN_OPTS ${trust.options.join(' ')}"`;
    const now = ask.place.read(script) ?? '';
    const joint = now === '' || now.endsWith('\n') ? '' : '\n';
    const content = now.split(/\r?\n/).includes(line) ? now : `${now}${joint}${line}\n`;
    return { files: [trust.file, file, { path: script, content }], trustFile: trust.file.path };
  },
};

/** For Central alone: repositories of a project that are elsewhere stay where they are. */
function mirror(settings: XmlText, url: string): void {
  const mirrors = settings.children('mirrors');
  const found = mirrors.find((each) => settings.childText(each, 'id') === 'millrace');
  const address = found?.children.find(({ name }) => name === 'url');
  if (address && found) {
    if (settings.childText(found, 'url') !== url) settings.setText(address, url);
    return;
  }
  const inside = `<id>millrace</id><mirrorOf>central</mirrorOf><url>${escaped(url)}</url>`;
  // Of several that are for one repository the first counts.
  settings.insert(['mirrors'], [`<mirror>${inside}</mirror>`], 'first');
}

function proxies(settings: XmlText, ask: Ask): void {
  const wanted = plainProxy(ask, 'maven');
  for (const protocol of ['http', 'https']) {
    const id = `millrace-${protocol}`;
    const found = settings
      .children('proxies')
      .find((each) => settings.childText(each, 'id') === id);
    if (found === undefined) {
      const own = `<id>${id}</id><active>true</active><protocol>${protocol}</protocol>`;
      const address = `<host>${wanted.host}</host><port>${wanted.port}</port>`;
      // The first that is active counts.
      settings.insert(['proxies'], [`<proxy>${own}${address}</proxy>`], 'first');
      continue;
    }
    for (const [name, value] of Object.entries(wanted)) {
      const proxy = settings
        .children('proxies')
        .find((each) => settings.childText(each, 'id') === id);
      const child = proxy?.children.find((each) => each.name === name);
      if (proxy && child && settings.childText(proxy, name) !== value)
        settings.setText(child, value);
    }
  }
}
