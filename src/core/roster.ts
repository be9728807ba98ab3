/**
 * Objects that come and go, in the order in which they came. In place of a `Set`, of which V8 replaces
 * the table again and again where members come and go: a replaced table points to the next one and
 * keeps its members, and once a full collection has moved one to the old generation, what was ever in
 * those behind it outlives every quick collection until the next full one. Removing takes longer the
 * more there are, and next to nothing from the front.
 */
export class Roster<T> implements Iterable<T> {
  readonly #members: T[] = [];

  get size(): number {
    return this.#members.length;
  }

  add(member: T): void {
    this.#members.push(member);
  }

  /** Nothing where it is not there. */
  delete(member: T): void {
    const at = this.#members.indexOf(member);
    if (at !== -1) this.#members.splice(at, 1);
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#members[Symbol.iterator]();
  }
}
