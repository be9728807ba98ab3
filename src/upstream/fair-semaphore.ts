interface Waiter {
  readonly limit: number;
  readonly enter: () => void;
}

/**
 * Places for so many at a time; the others queue and are never refused. Whoever waits under one key
 * (an object that is being fetched) takes turns with the other keys, so that one with a hundred
 * segments does not keep out one with a single request.
 */
export class FairSemaphore {
  readonly #queues = new Map<string, Waiter[]>();
  #active = 0;
  #queued = 0;

  get active(): number {
    return this.#active;
  }

  get queued(): number {
    return this.#queued;
  }

  /** Takes a place if fewer than `limit` are taken and nobody waits. */
  tryEnter(limit: number): boolean {
    if (this.#active >= limit || this.#queued > 0) return false;
    this.#active += 1;
    return true;
  }

  /** Calls back with a place; the result stops the waiting, and does nothing after the callback. */
  wait(key: string, limit: number, enter: () => void): () => void {
    const waiter: Waiter = { limit, enter };
    const queue = this.#queues.get(key);
    if (queue === undefined) this.#queues.set(key, [waiter]);
    else queue.push(waiter);
    this.#queued += 1;
    // A limit that was raised meanwhile may have room.
    this.#admit();
    return () => this.#remove(key, waiter);
  }

  /** Gives a place back. */
  leave(): void {
    this.#active -= 1;
    this.#admit();
  }

  #admit(): void {
    for (;;) {
      const [turn] = this.#queues;
      if (turn === undefined) return;
      const [key, queue] = turn;
      const first = queue[0] as Waiter;
      if (this.#active >= first.limit) return;
      queue.shift();
      this.#queues.delete(key);
      // To the end of the line: the other keys come first now.
      if (queue.length > 0) this.#queues.set(key, queue);
      this.#queued -= 1;
      this.#active += 1;
      first.enter();
    }
  }

  #remove(key: string, waiter: Waiter): void {
    const queue = this.#queues.get(key);
    const at = queue?.indexOf(waiter) ?? -1;
    if (queue === undefined || at === -1) return;
    queue.splice(at, 1);
    this.#queued -= 1;
    if (queue.length === 0) this.#queues.delete(key);
    this.#admit();
  }
}
