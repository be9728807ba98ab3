import type { MirrorFault } from '../core/mirror-figures.ts';
import type { FeedResponse } from './feed.ts';

/** Who brought the bytes of one body: by origin the last response. */
export class Bringers {
  readonly #responses = new Map<string, FeedResponse>();

  note(response: FeedResponse): void {
    this.#responses.set(response.mirror ?? response.origin, response);
  }

  /**
   * The body was not what it must be. Of several bringers nobody knows which one was wrong: it is held
   * against all but the one at `home` (an origin), which has the last word.
   */
  demote(fault: MirrorFault, home: string): void {
    for (const [origin, response] of this.#responses) {
      if (this.#responses.size === 1 || origin !== home) response.demote(fault);
    }
  }
}
