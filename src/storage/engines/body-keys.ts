const none: readonly string[] = [];

/** Which keys have records that name a body, by its SHA-256. */
export class BodyKeys {
  readonly #keys = new Map<string, readonly string[]>();

  has(sha256: string): boolean {
    return this.#keys.has(sha256);
  }

  of(sha256: string): readonly string[] {
    return this.#keys.get(sha256) ?? none;
  }

  add(sha256: string, key: string): void {
    const keys = this.of(sha256);
    if (!keys.includes(key)) this.#keys.set(sha256, [...keys, key]);
  }

  /** Whether none is left. */
  remove(sha256: string, key: string): boolean {
    const keys = this.of(sha256).filter((other) => other !== key);
    if (keys.length > 0) this.#keys.set(sha256, keys);
    else this.#keys.delete(sha256);
    return keys.length === 0;
  }
}
