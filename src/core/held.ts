/**
 * What a store has in memory under one key, or of one body: `value` is undefined from the moment that it
 * is replaced or let go. Who holds on to this need not look it up again, and keeps nothing alive by it.
 */
export interface Held<T> {
  readonly value: T | undefined;
}
