import { parseXml, writeXml, type XmlElement } from './xml-tree.ts';

/**
 * The `maven-metadata.xml` of several repositories made one, in their order, as Maven itself does it
 * ("Maven Repository Metadata", `Metadata.merge`): plugins and versions of all of them; `latest`,
 * `release` and the newest build of a snapshot as the one says that was updated last. What is not
 * known stays as the first one has it. Undefined where one is no such document.
 */
export function mergedMetadata(documents: readonly Uint8Array[]): Uint8Array | undefined {
  const roots: XmlElement[] = [];
  for (const document of documents) {
    const root = parseXml(Buffer.from(document).toString('utf8'));
    if (root?.name !== 'metadata') return undefined;
    roots.push(root);
  }
  const [first, ...others] = roots;
  if (!first) return undefined;
  return Buffer.from(writeXml(others.reduce(metadata, first)));
}

function metadata(one: XmlElement, other: XmlElement): XmlElement {
  return mergedBy(one, other, {
    plugins: (mine, theirs) => union(mine, theirs, (plugin) => textOf(plugin, 'prefix')),
    versioning,
  });
}

function versioning(one: XmlElement, other: XmlElement): XmlElement {
  const [mine, theirs] = [one, other].map((each) => textOf(each, 'lastUpdated') ?? '');
  const newer = (theirs ?? '') > (mine ?? '');
  const newest = (ours: XmlElement, newest: XmlElement) => (newer ? newest : ours);
  return mergedBy(one, other, {
    versions: (ours, others) => union(ours, others, ({ text }) => text),
    latest: newest,
    release: newest,
    snapshot: newest,
    lastUpdated: newest,
    snapshotVersions: (ours, others) =>
      newer ? union(others, ours, fileOf) : union(ours, others, fileOf),
  });
}

/** What a snapshot's version is the newest of: a classifier and an extension. */
function fileOf(version: XmlElement): string {
  return `${textOf(version, 'classifier') ?? ''}:${textOf(version, 'extension') ?? ''}`;
}

type Merging = (one: XmlElement, other: XmlElement) => XmlElement;

/** The children that both have, merged by the rule of their name or else the first one's; and the rest. */
function mergedBy(
  one: XmlElement,
  other: XmlElement,
  rules: Readonly<Record<string, Merging>>,
): XmlElement {
  const children = one.children.map((mine) => {
    const theirs = childOf(other, mine.name);
    return theirs && Object.hasOwn(rules, mine.name)
      ? (rules[mine.name]?.(mine, theirs) ?? mine)
      : mine;
  });
  const more = other.children.filter(({ name }) => !childOf(one, name));
  return { ...one, children: [...children, ...more] };
}

/** The children of both, those of one key once. */
function union(
  one: XmlElement,
  other: XmlElement,
  keyOf: (child: XmlElement) => string | undefined,
): XmlElement {
  const known = new Set(one.children.map(keyOf));
  return {
    ...one,
    children: [...one.children, ...other.children.filter((each) => !known.has(keyOf(each)))],
  };
}

function childOf({ children }: XmlElement, name: string): XmlElement | undefined {
  return children.find((child) => child.name === name);
}

function textOf(element: XmlElement, name: string): string | undefined {
  return childOf(element, name)?.text;
}
