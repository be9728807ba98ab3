/** Where a value stands in a JSON text. */
export interface JsonNode {
  readonly kind: 'object' | 'array' | 'other';
  readonly from: number;
  readonly to: number;
  /** Of an object: names, and where each begins; of an array: names are numbers. */
  readonly members: readonly JsonMember[];
}

export interface JsonMember {
  readonly name: string;
  readonly from: number;
  readonly node: JsonNode;
}

/** Finds the places in a text that JSON.parse has accepted. */
export function scanJson(text: string): JsonNode {
  return new Scanner(text).value();
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): JsonNode {
    this.#blank();
    const from = this.#at;
    const first = this.#text[from];
    if (first === '{' || first === '[') return this.#container(from, first === '{');
    if (first === '"') this.#string();
    else this.#at += /^[^,\]}\s]*/.exec(this.#text.slice(from, from + 400))?.[0].length ?? 0;
    return { kind: 'other', from, to: this.#at, members: [] };
  }

  #container(from: number, isObject: boolean): JsonNode {
    const members: JsonMember[] = [];
    this.#at += 1;
    for (;;) {
      this.#blank();
      const here = this.#text[this.#at];
      if (here === ']' || here === '}' || here === undefined) break;
      if (here === ',') {
        this.#at += 1;
        continue;
      }
      const start = this.#at;
      let name = String(members.length);
      if (isObject) {
        name = this.#string();
        this.#blank();
        this.#at += 1;
      }
      members.push({ name, from: start, node: this.value() });
    }
    this.#at += 1;
    return { kind: isObject ? 'object' : 'array', from, to: this.#at, members };
  }

  #string(): string {
    const from = this.#at;
    this.#at += 1;
    while (this.#at < this.#text.length && this.#text[this.#at] !== '"') {
      this.#at += this.#text[this.#at] === '\\' ? 2 : 1;
    }
    this.#at += 1;
    return JSON.parse(this.#text.slice(from, this.#at)) as string;
  }

  #blank(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }
}
