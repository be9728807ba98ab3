import { bare, lineEnd } from './lines.ts';
import { scanXml, type XmlElement } from './xml-scan.ts';

/**
 * Changes of an XML file that leave every other byte alone: libraries for XML print it anew, with
 * other blanks, quotes and entities.
 */
export class XmlText {
  #text: string;
  readonly #file: string;

  /** `empty` is the file to begin with where there is none. */
  constructor(text: string | undefined, empty: string, file: string) {
    this.#text = text === undefined || text.trim() === '' ? empty : text;
    this.#file = file;
    this.root();
  }

  get text(): string {
    return this.#text;
  }

  root(): XmlElement {
    const root = scanXml(this.#text, this.#file);
    if (root === undefined) throw new TypeError(`${this.#file} has no element`);
    return root;
  }

  /** The children of the element at names below the root. */
  children(...path: readonly string[]): readonly XmlElement[] {
    return this.#find(path)?.children ?? [];
  }

  /** The text of an element's first child of a name, undefined where there is none. */
  childText(element: XmlElement, name: string): string | undefined {
    const child = element.children.find((each) => each.name === name);
    return child && unescaped(this.#text.slice(child.open, child.close).trim());
  }

  /** Sets what is inside an element that has text alone. */
  setText(element: XmlElement, value: string): void {
    const { from, to, open, close, name, selfClosing } = element;
    if (selfClosing) this.#replace(from, to, `<${name}>${escaped(value)}</${name}>`);
    else this.#replace(open, close, escaped(value));
  }

  /** Sets an attribute of an element. */
  setAttribute(element: XmlElement, name: string, value: string): void {
    const found = element.attributes.find((each) => each.name === name);
    if (found) this.#replace(found.from, found.from + found.value.length, escaped(value));
    else {
      const end = element.open - (element.selfClosing ? 2 : 1);
      const at = end - (/\s*$/.exec(this.#text.slice(0, end))?.[0].length ?? 0);
      this.#replace(at, at, ` ${name}="${escaped(value)}"`);
    }
  }

  /** Puts lines into the element at a path, as its first or last child; the elements on the way are made. */
  insert(path: readonly string[], lines: readonly string[], where: 'first' | 'last'): void {
    const depth = path.findIndex((_, at) => this.#find(path.slice(0, at + 1)) === undefined);
    if (depth !== -1) {
      const name = path[depth] ?? '';
      this.insert(path.slice(0, depth), [`<${name}></${name}>`], 'last');
      this.insert(path, lines, where);
      return;
    }
    const element = this.#find(path);
    if (element === undefined) return;
    const end = lineEnd(this.#text);
    const outer = this.#indentOf(element.from);
    const first = element.children[0];
    const inner = first && this.#startsLine(first.from) ? this.#indentOf(first.from) : `${outer}  `;
    const added = lines.map((line) => `${inner}${line}`).join(end);
    if (element.selfClosing) {
      const tag = this.#text.slice(element.from, element.to).replace(/\s*\/>$/, '>');
      const whole = `${tag}${end}${added}${end}${outer}</${element.name}>`;
      this.#replace(element.from, element.to, whole);
      return;
    }
    if (where === 'first') {
      const rest = this.#text.slice(element.open, element.close);
      const close = rest.trim() === '' && !rest.includes('\n') ? `${end}${outer}` : '';
      this.#replace(element.open, element.open, `${end}${added}${close}`);
      return;
    }
    const before = this.#text.slice(element.open, element.close);
    const blank = /\s*$/.exec(before)?.[0].length ?? 0;
    const at = element.close - blank;
    this.#replace(at, element.close, `${end}${added}${end}${outer}`);
  }

  #find(path: readonly string[]): XmlElement | undefined {
    let element: XmlElement | undefined = this.root();
    for (const name of path) element = element?.children.find((each) => each.name === name);
    return element;
  }

  #replace(from: number, to: number, text: string): void {
    this.#text = `${this.#text.slice(0, from)}${text}${this.#text.slice(to)}`;
  }

  #startsLine(offset: number): boolean {
    const before = this.#text.slice(this.#text.lastIndexOf('\n', offset - 1) + 1, offset);
    return before.trim() === '';
  }

  #indentOf(offset: number): string {
    const line = bare(this.#text.slice(this.#text.lastIndexOf('\n', offset - 1) + 1));
    return /^[ \t]*/.exec(line)?.[0] ?? '';
  }
}

/** Text as it stands in an element or an attribute. */
export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** The reverse, for the five entities that every file may use. */
export function unescaped(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}
