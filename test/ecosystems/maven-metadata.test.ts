import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mergedMetadata } from '../../src/ecosystems/maven-metadata.ts';
import { parseXml, writeXml, type XmlElement } from '../../src/ecosystems/xml-tree.ts';

function merged(...documents: readonly string[]): string | undefined {
  const result = mergedMetadata(documents.map((text) => Buffer.from(text)));
  return result && Buffer.from(result).toString().replace(/>\s+</g, '><');
}

const declaration = '<?xml version="1.0" encoding="UTF-8"?>';

function artifact(versions: readonly string[], updated: string, more = ''): string {
  const list = versions.map((version) => `<version>${version}</version>`).join('');
  return `<metadata><groupId>org.example</groupId><artifactId>nail</artifactId><versioning>${more}<versions>${list}</versions><lastUpdated>${updated}</lastUpdated></versioning></metadata>`;
}

it('of an artifact: versions of all, and the newest one’s latest and release', () => {
  const own = artifact(
    ['1.0', '1.1'],
    '20260101000000',
    '<latest>1.1</latest><release>1.1</release>',
  );
  const common = artifact(['1.1', '2.0'], '20260301000000', '<latest>2.0</latest>');
  const old = artifact(['0.9'], '20250101000000', '<latest>0.9</latest><release>0.9</release>');
  const newest = '<latest>2.0</latest><release>1.1</release>';
  const all = artifact(['1.0', '1.1', '2.0', '0.9'], '20260301000000', newest);
  expect(merged(own, common, old)?.trimEnd()).toBe(declaration + all);
});

it('of a group: plugins of all, each prefix as the first one has it', () => {
  const plugin = (prefix: string, name: string) =>
    `<plugin><name>${name}</name><prefix>${prefix}</prefix></plugin>`;
  const group = (...plugins: readonly string[]) =>
    `<metadata><plugins>${plugins.join('')}</plugins></metadata>`;
  expect(
    merged(group(plugin('a', 'mine')), group(plugin('a', 'theirs'), plugin('b', 'B'))),
  ).toContain(group(plugin('a', 'mine'), plugin('b', 'B')));
});

it('of a snapshot: the newest build, and of each file its newest version', () => {
  const file = (extension: string, value: string) =>
    `<snapshotVersion><extension>${extension}</extension><value>${value}</value></snapshotVersion>`;
  const snapshot = (build: number, updated: string, ...files: readonly string[]) =>
    `<metadata><versioning><snapshot><buildNumber>${build}</buildNumber></snapshot><lastUpdated>${updated}</lastUpdated><snapshotVersions>${files.join('')}</snapshotVersions></versioning></metadata>`;
  const older = snapshot(1, '20260101000000', file('jar', 'one'), file('pom', 'one'));
  const newer = snapshot(2, '20260102000000', file('jar', 'two'));
  const expected = snapshot(2, '20260102000000', file('jar', 'two'), file('pom', 'one'));
  expect(merged(older, newer)).toContain(expected);
  expect(merged(newer, older)).toContain(expected);
});

it.each([
  '<html><body/></html>',
  '<metadata><versioning></metadata>',
  '<!DOCTYPE m [<!ENTITY a "b">]><metadata/>',
  '<metadata/><metadata/>',
  '<a>'.repeat(40) + '</a>'.repeat(40),
  '',
  '\0',
])('nothing, where one is %j', (wrong) => {
  expect(merged(artifact(['1.0'], '1'), wrong)).toBeUndefined();
});

it('XML: what is read is written again, comments and instructions left out', () => {
  expect(
    parseXml(
      '\ufeff<?xml version="1.0"?><!-- < --><a x="1"><b/>t &amp;&#65;&#x42;<![CDATA[<]]></a>\n',
    ),
  ).toEqual({
    name: 'a',
    attributes: ' x="1"',
    text: 't &AB<',
    children: [{ name: 'b', attributes: '', text: '', children: [] }],
  });
  const element = (children: fc.Arbitrary<XmlElement[]>) =>
    fc.record({
      name: fc.stringMatching(/^[a-z][\w.-]{0,5}$/),
      attributes: fc.constantFrom('', ' a="b"'),
      text: fc.string({ maxLength: 8 }).map((text) => text.trim()),
      children,
    });
  const leaf = element(fc.constant([]));
  const { tree } = fc.letrec<{ tree: XmlElement }>((tie) => ({
    tree: fc.oneof({ depthSize: 'small' }, leaf, element(fc.array(tie('tree'), { maxLength: 3 }))),
  }));
  fc.assert(
    fc.property(tree, (each) => {
      expect(parseXml(writeXml(each))).toEqual(each);
    }),
  );
});
