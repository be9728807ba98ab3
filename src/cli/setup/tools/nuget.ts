import { join } from 'node:path';
import { neededTrust } from '../common.ts';
import { escaped, unescaped, XmlText } from '../edits/xml.ts';
import type { XmlElement } from '../edits/xml-scan.ts';
import { firstThere } from '../places.ts';
import { type Ask, mountUrl, type Place, type Tool } from '../tool.ts';

const empty = `<?xml version="1.0" encoding="utf-8"?>
<configuration>
</configuration>
`;

const systemStore =
  'NuGet trusts the authorities of the system alone: put the one of the gateway there with millrace ca install';

/**
 * NuGet: `NuGet.Config`. The source keeps its name, `nuget.org`, because source mappings and lockfiles
 * of projects name it. learn.microsoft.com/nuget/reference/nuget-config-file
 */
export const nuget: Tool = {
  id: 'nuget',
  programs: ['dotnet', 'nuget'],
  ecosystem: 'nuget',
  overrides: { registry: [], proxy: [] },
  plan(ask) {
    const path = fileOf(ask);
    const config = new XmlText(ask.place.read(path), empty, path);
    if (ask.mode === 'registry') source(config, `${mountUrl(ask.gateway, 'nuget')}/v3/index.json`);
    else {
      neededTrust(ask, 'nuget');
      for (const key of ['http_proxy', 'https_proxy']) {
        setAdd(config, ['config'], key, { value: ask.gateway.proxyUrl });
      }
    }
    const file = { path, content: config.text };
    return ask.trust ? { files: [file], notes: [systemStore] } : { files: [file] };
  },
};

function source(config: XmlText, url: string): void {
  const insecure = url.startsWith('http:');
  setAdd(config, ['packageSources'], 'nuget.org', {
    value: url,
    protocolVersion: '3',
    ...(insecure && { allowInsecureConnections: 'true' }),
  });
}

/** Sets attributes of the `<add>` with a key, which is added where there is none. */
function setAdd(
  config: XmlText,
  path: readonly string[],
  key: string,
  attributes: Readonly<Record<string, string>>,
): void {
  const find = (): XmlElement | undefined =>
    config
      .children(...path)
      .find((each) => each.name === 'add' && attribute(each, 'key')?.toLowerCase() === key);
  if (find() === undefined) {
    const all = Object.entries({ key, ...attributes });
    const text = all.map(([name, value]) => `${name}="${escaped(value)}"`).join(' ');
    config.insert(path, [`<add ${text} />`], 'last');
    return;
  }
  for (const [name, value] of Object.entries(attributes)) {
    const element = find();
    if (element && attribute(element, name) !== value) config.setAttribute(element, name, value);
  }
}

function attribute({ attributes }: XmlElement, name: string): string | undefined {
  const found = attributes.find((each) => each.name === name);
  return found && unescaped(found.value);
}

function fileOf({ place, scope }: Ask): string {
  return scope === 'project' ? inProject(place) : join(place.home, '.nuget/NuGet/NuGet.Config');
}

/** The spellings that NuGet takes where names have case. */
function inProject(place: Place): string {
  const names = ['nuget.config', 'NuGet.config', 'NuGet.Config'] as const;
  const [first, ...others] = names.map((name) => join(place.folder, name));
  return firstThere(place, [first ?? place.folder, ...others]);
}
