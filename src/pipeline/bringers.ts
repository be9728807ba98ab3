import type { MirrorFault } from '../core/mirror-figures.ts';
import type { FeedResponse } from './feed.ts';

/** Who brought the bytes of one body: of each origin the last response. */
export class Bringers {
  readonly #responses: FeedResponse[] = [];

  note(response: FeedResponse): void {
    const at = this.#responses.findIndex((each) => originOf(each) === originOf(response));
    if (at === -1) this.#responses.push(response);
    else this.#responses[at] = response;
  }

  /**
   * The body was not what it must be. Of several bringers nobody knows which one was wrong: it is held
   * against all but the one at `home` (an origin), which has the last word.
   */
  demote(fault: MirrorFault, home: string): void {
    for (const response of this.#responses) {
      if (this.#responses.length === 1 || originOf(response) !== home) response.demote(fault);
    }
  }
}

function originOf({ mirror, origin }: FeedResponse): string {
  return mirror ?? origin;
}
