/**
 * What is under way, by key: values that come and go. Not a `Map` of them, which may keep alive what is
 * no more in it, for the reason that `Roster` gives: here an entry is empty when it is deleted.
 */
export class PassingMap<V> implements Iterable<readonly [string, V]> {
  readonly #entries = new Map<string, { value: V | undefined }>();

  get(key: string): V | undefined {
    return this.#entries.get(key)?.value;
  }

  set(key: string, value: V): void {
    this.delete(key);
    this.#entries.set(key, { value });
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.value = undefined;
    this.#entries.delete(key);
  }

  *[Symbol.iterator](): IterableIterator<readonly [string, V]> {
    for (const [key, { value }] of this.#entries) if (value !== undefined) yield [key, value];
  }
}
