import { expect, test } from 'vitest';
import { type HostFiles, readHostDefaults } from '../../src/config/host-defaults.ts';

const npm = {
  canonical: 'https://public.registry.test/',
  configured: () => 'https://registry.test/',
};

/** A host with these files and no others. */
function filesOf(files: Readonly<Record<string, string>>): HostFiles {
  return {
    read: async (path) => files[path],
    list: async (folder) => {
      const names = Object.keys(files).filter((path) => path.startsWith(`${folder}/`));
      return names.length === 0 ? undefined : names.map((path) => path.slice(folder.length + 1));
    },
  };
}

async function archivesOf(files: Readonly<Record<string, string>>): Promise<string[]> {
  const { aptArchives } = await readHostDefaults(filesOf(files), npm);
  return aptArchives.map(({ path, url }) => `${path} ${url}`);
}

test('the registry comes from the npm configuration, the canonical one from the library', async () => {
  expect(await readHostDefaults(filesOf({}), npm)).toEqual({
    npmRegistry: 'https://registry.test/',
    npmCanonicalRegistry: 'https://public.registry.test',
    aptArchives: [],
    aptHosts: [],
    warnings: [],
  });
});

test('an npm configuration that cannot be read leaves the canonical registry and a warning', async () => {
  const broken = {
    ...npm,
    configured: () => {
      throw new Error('permission denied');
    },
  };
  const defaults = await readHostDefaults(filesOf({}), broken);
  expect(defaults.npmRegistry).toBe('https://public.registry.test/');
  expect(defaults.warnings).toEqual([
    'the npm configuration of this host cannot be read: permission denied',
  ]);
});

test('apt sources that cannot be read leave no archives and a warning', async () => {
  const files: HostFiles = {
    read: async () => {
      throw new Error('permission denied');
    },
    list: async () => [],
  };
  const defaults = await readHostDefaults(files, npm);
  expect(defaults.aptArchives).toEqual([]);
  expect(defaults.warnings).toEqual([
    'the apt sources of this host cannot be read: permission denied',
  ]);
});

test('one-line sources: comments, options in brackets, source entries, repetitions', async () => {
  const text = `# deb http://comment.test/none stable main
deb http://archive.test/debian bookworm main # a comment
deb-src http://archive.test/debian/ bookworm main
  deb [arch=amd64 signed-by=/usr/share/keyrings/a b.gpg] https://secure.test/debian-security bookworm main
deb\thttp://flat.test/flat ./
deb http://incomplete.test/incomplete
#deb http://off.test/off stable main
`;
  expect(await archivesOf({ '/etc/apt/sources.list': text })).toEqual([
    '/debian http://archive.test/debian',
    '/debian-security https://secure.test/debian-security',
    '/flat http://flat.test/flat',
  ]);
});

test('stanzas: several URIs, continued lines, comments inside, field names in any case', async () => {
  const text = `Types: deb deb-src
# a comment in the middle
uris: http://archive.test/debian
  http://second.test/second/
# and one between continued lines
 http://third.test/third
Suites: bookworm

Types: deb
URIs: http://archive.test/debian-security
Suites: bookworm-security
`;
  expect(await archivesOf({ '/etc/apt/sources.list.d/debian.sources': text })).toEqual([
    '/debian http://archive.test/debian',
    '/second http://second.test/second',
    '/third http://third.test/third',
    '/debian-security http://archive.test/debian-security',
  ]);
});

test.each(['no', 'No', 'false', '0', 'off', 'disable', 'without'])(
  'a stanza with Enabled: %s is left out',
  async (word) => {
    const text = `Enabled: ${word}\nTypes: deb\nURIs: http://off.test/off\nSuites: a\n\nEnabled: yes\nTypes: deb\nURIs: http://on.test/on\nSuites: a`;
    expect(await archivesOf({ '/etc/apt/sources.list.d/a.sources': text })).toEqual([
      '/on http://on.test/on',
    ]);
  },
);

test('other schemes, archives without a path, variables and paths taken already get no mount', async () => {
  const text = `deb cdrom:[Debian]/ bookworm main
deb file:/srv/debian bookworm main
deb mirror+http://list.test/mirrors bookworm main
deb http://root.test bookworm main
deb http://root.test/ bookworm main
deb http://var.test/$(ARCH)/ bookworm main
deb http://first.test/ubuntu noble main
deb http://second.test:8000/ubuntu noble main
deb http://user:pass@private.test/private noble main
`;
  const defaults = await readHostDefaults(filesOf({ '/etc/apt/sources.list': text }), npm);
  expect(defaults.aptArchives).toEqual([{ path: '/ubuntu', url: 'http://first.test/ubuntu' }]);
  expect(defaults.aptHosts).toEqual([
    'root.test',
    'first.test',
    'second.test:8000',
    'private.test',
  ]);
});

test('files that apt does not read are not read here', async () => {
  const line = (name: string): string => `deb http://${name}.test/${name} stable main\n`;
  expect(
    await archivesOf({
      '/etc/apt/sources.list.d/b.list': line('b'),
      '/etc/apt/sources.list.d/a.list': line('a'),
      '/etc/apt/sources.list.d/c.list.disabled': line('c'),
      '/etc/apt/sources.list.d/d~.list': line('d'),
    }),
  ).toEqual(['/a http://a.test/a', '/b http://b.test/b']);
});
