/** An element of a small XML document. What is not an element or its text is left out. */
export interface XmlElement {
  readonly name: string;
  /** As written, with the blank before it. */
  readonly attributes: string;
  /** Its own text without blanks around it, references resolved. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

interface Open {
  readonly name: string;
  readonly attributes: string;
  text: string;
  readonly children: XmlElement[];
}

/** More than any metadata has; what is deeper is a trap. */
const maxDepth = 32;

/** Comment, instruction, CDATA, tag, text. A document type is none of these: such a document is refused. */
const token =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[([\s\S]*?)\]\]>|<(\/?)([A-Za-z_][\w.:-]*)((?:\s[^<>]*?)?)(\/?)>|([^<]+)/y;

const references: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

/** The root of a document without a document type; undefined for what is not well-formed. XML 1.0. */
export function parseXml(document: string): XmlElement | undefined {
  const text = document.replace(/^\ufeff/, '');
  const root: Open = { name: '', attributes: '', text: '', children: [] };
  const open = [root];
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    const inside = open.at(-1);
    if (!match || !inside || open.length > maxDepth) return undefined;
    const [, characters, slash, name, attributes = '', empty, plain] = match;
    if (plain !== undefined) inside.text += plain.replace(/&(#?\w+);/g, resolved);
    else if (characters !== undefined) inside.text += characters;
    else if (name === undefined) continue;
    else if (slash === '/') {
      if (inside.name !== name || open.length === 1) return undefined;
      open.pop();
      inside.text = inside.text.trim();
    } else {
      const element: Open = { name, attributes: attributes.trimEnd(), text: '', children: [] };
      inside.children.push(element);
      if (empty === '') open.push(element);
    }
  }
  const [only, ...others] = root.children;
  return open.length === 1 && others.length === 0 && root.text.trim() === '' ? only : undefined;
}

function resolved(reference: string, name: string): string {
  const [, hex, decimal] = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}))$/i.exec(name) ?? [];
  if (hex === undefined && decimal === undefined) return references[name] ?? reference;
  const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
  return point <= 0x10ffff ? String.fromCodePoint(point) : reference;
}

/** The document, indented. */
export function writeXml(root: XmlElement): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${written(root, '')}`;
}

function written({ name, attributes, text, children }: XmlElement, indent: string): string {
  const start = `${indent}<${name}${attributes}>`;
  if (children.length === 0) return `${start}${escaped(text)}</${name}>\n`;
  const inner = children.map((child) => written(child, `${indent}  `)).join('');
  const own = text === '' ? '' : `${indent}  ${escaped(text)}\n`;
  return `${start}\n${own}${inner}${indent}</${name}>\n`;
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
