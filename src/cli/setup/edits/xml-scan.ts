/** Where an element stands in an XML text. */
export interface XmlElement {
  readonly name: string;
  readonly from: number;
  /** After the start tag. */
  readonly open: number;
  /** Before the end tag; the same as `open` without one. */
  close: number;
  to: number;
  readonly selfClosing: boolean;
  readonly attributes: readonly XmlAttribute[];
  readonly children: XmlElement[];
}

export interface XmlAttribute {
  readonly name: string;
  /** As written between the quotes, and where. */
  readonly value: string;
  readonly from: number;
}

const token =
  /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<![^>]*>|<\/([^\s>]+)\s*>|<([^\s/>!?]+)((?:[^>"']|"[^"]*"|'[^']*')*?)(\/?)>/g;

/** The root element of a text. Throws a TypeError where tags do not match. */
export function scanXml(text: string, file: string): XmlElement | undefined {
  const open: XmlElement[] = [];
  let root: XmlElement | undefined;
  for (const match of text.matchAll(token)) {
    const [whole, endName, name, attributes = '', slash] = match;
    const from = match.index;
    const to = from + whole.length;
    if (endName !== undefined) {
      const element = open.pop();
      if (element?.name !== endName) throw notXml(file, `</${endName}> ends nothing`);
      element.close = from;
      element.to = to;
    } else if (name !== undefined) {
      const element: XmlElement = {
        name,
        from,
        open: to,
        close: to,
        to,
        selfClosing: slash === '/',
        attributes: attributesOf(attributes, from + 1 + name.length),
        children: [],
      };
      const parent = open.at(-1);
      if (parent) parent.children.push(element);
      else if (root) throw notXml(file, `<${name}> is a second root`);
      else root = element;
      if (!element.selfClosing) open.push(element);
    }
  }
  const unclosed = open.at(-1);
  if (unclosed) throw notXml(file, `<${unclosed.name}> has no end`);
  if (root === undefined && text.trim() !== '') throw notXml(file, 'it has no element');
  return root;
}

function attributesOf(text: string, offset: number): XmlAttribute[] {
  const pattern = /([^\s=]+)(\s*=\s*["'])([^"']*)["']/g;
  return [...text.matchAll(pattern)].map((match) => {
    const [, name = '', middle = '', value = ''] = match;
    return { name, value, from: offset + match.index + name.length + middle.length };
  });
}

function notXml(file: string, what: string): TypeError {
  return new TypeError(`${file} is not XML as it should be: ${what}`);
}
