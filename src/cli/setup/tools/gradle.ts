import { join } from 'node:path';
import { neededTrust, plainProxy } from '../common.ts';
import { plainStyle, withSetting } from '../edits/settings-file.ts';
import { javaTrust, javaTrustProperties } from '../java-trust.ts';
import { given } from '../places.ts';
import { type Ask, mountUrl, type Plan, refuse, type Tool } from '../tool.ts';

/**
 * Gradle: an init script that leads Maven Central to the gateway in every build, or the proxy in
 * `gradle.properties`. docs.gradle.org: init_scripts, build_environment
 */
export const gradle: Tool = {
  id: 'gradle',
  programs: ['gradle'],
  ecosystem: 'maven',
  overrides: { registry: [], proxy: [] },
  plan(ask) {
    const { place, mode, scope } = ask;
    const folder = given(place.env.GRADLE_USER_HOME) ?? join(place.home, '.gradle');
    if (mode === 'registry') return scriptPlan(ask, folder);
    neededTrust(ask, 'gradle');
    const path = join(scope === 'project' ? place.folder : folder, 'gradle.properties');
    return propertiesPlan(ask, path, proxyProperties(ask));
  },
};

function scriptPlan(ask: Ask, folder: string): Plan {
  const { gateway, scope } = ask;
  if (scope === 'project') {
    refuse(
      'gradle has no init script of a project: leave out --scope project, or name the gateway in settings.gradle (docs/ecosystems.md)',
    );
  }
  const hosts = gateway.mounts
    .filter(({ ecosystem }) => ecosystem === 'maven')
    .slice(0, 1)
    .flatMap(({ upstreams }) => upstreams.map((url) => new URL(url).host));
  const all = [...new Set([...hosts, 'repo.maven.apache.org', 'repo1.maven.org'])];
  const path = join(folder, 'init.d/millrace.init.gradle');
  const script = { path, content: initScript(mountUrl(gateway, 'maven'), all) };
  if (ask.trust === undefined) return { files: [script] };
  const properties = propertiesPlan(ask, join(folder, 'gradle.properties'), {});
  return { ...properties, files: [...properties.files, script] };
}

function propertiesPlan(ask: Ask, path: string, wanted: Readonly<Record<string, string>>): Plan {
  const trust = javaTrust(ask, 'gradle');
  const properties = { ...wanted, ...(trust && javaTrustProperties(trust.file.path)) };
  let text = ask.place.read(path);
  for (const [name, value] of Object.entries(properties)) {
    text = withSetting(text, plainStyle, undefined, `systemProp.${name}`, value);
  }
  const file = { path, content: text ?? '' };
  return trust ? { files: [trust.file, file], trustFile: trust.file.path } : { files: [file] };
}

function proxyProperties(ask: Ask): Record<string, string> {
  const { host, port } = plainProxy(ask, 'gradle');
  const properties: Record<string, string> = {};
  for (const protocol of ['http', 'https']) {
    properties[`${protocol}.proxyHost`] = host;
    properties[`${protocol}.proxyPort`] = port;
  }
  return properties;
}

function initScript(url: string, hosts: readonly string[]): string {
  const list = hosts.map((host) => `'${host}'`).join(', ');
  return `// Leads Maven Central to a caching gateway: millrace setup gradle. To take it out again:
// millrace setup undo gradle
def gateway = '${url.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'
def central = [${list}] as Set
def lead = { handler ->
    handler.all { repository ->
        if (repository instanceof MavenArtifactRepository && repository.url != null && central.contains(repository.url.authority)) {
            repository.url = new URI(gateway)
            if (repository.hasProperty('allowInsecureProtocol')) {
                repository.allowInsecureProtocol = true
            }
        }
    }
}
settingsEvaluated { settings ->
    if (settings.hasProperty('pluginManagement')) {
        lead(settings.pluginManagement.repositories)
    }
    if (settings.hasProperty('dependencyResolutionManagement')) {
        lead(settings.dependencyResolutionManagement.repositories)
    }
}
allprojects {
    lead(buildscript.repositories)
    lead(repositories)
}
`;
}
