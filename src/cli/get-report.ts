import type { GatewayError } from '../core/errors.ts';
import type { FetchedFile, FileProgress } from '../gateway-get-file.ts';
import type { GetFailure } from './get-failure.ts';
import { Speed } from './speed.ts';

/** One download, as reports see it. */
export interface GetItem {
  readonly url: string;
  readonly name: string;
  readonly target: string;
  readonly progress: () => FileProgress;
}

/** What came of a download. */
export type GetResult =
  | { readonly kind: 'done'; readonly file: FetchedFile; readonly seconds: number }
  /** It was there, with the checksum that it must have. */
  | { readonly kind: 'there'; readonly size: number }
  | { readonly kind: 'failed'; readonly failure: GetFailure }
  | { readonly kind: 'interrupted' };

/** A download that is over. */
export interface EndedItem {
  readonly item: GetItem;
  readonly result: GetResult;
}

/** Tells of downloads as they go. */
export interface GetReport {
  started(item: GetItem): void;
  retrying(item: GetItem, error: GatewayError, milliseconds: number): void;
  ended(item: GetItem, result: GetResult): void;
  /** All have ended; `code` is what the process ends with. */
  close(ended: readonly EndedItem[], code: number): void;
}

/** A download at a moment. */
export interface GetView extends FileProgress {
  readonly item: GetItem;
  readonly bytesPerSecond: number | undefined;
  /** Undefined where nobody can tell. */
  readonly secondsLeft: number | undefined;
  /** Where bytes come from now, or came from last: `host:port`, with how many connections where several. */
  readonly from: readonly string[];
}

/** Looks at downloads under way, and knows how fast they are. */
export class GetViews {
  readonly #speeds = new Map<GetItem, Speed>();

  get items(): readonly GetItem[] {
    return [...this.#speeds.keys()];
  }

  add(item: GetItem): void {
    this.#speeds.set(item, new Speed());
  }

  delete(item: GetItem): void {
    this.#speeds.delete(item);
  }

  /** `at`: milliseconds, on a clock that does not go back. */
  look(at: number): readonly GetView[] {
    return [...this.#speeds].map(([item, speed]) => {
      const progress = item.progress();
      speed.observe(at, progress.received);
      const { bytesPerSecond } = speed;
      const left = progress.size === undefined ? undefined : progress.size - progress.received;
      const known = left !== undefined && bytesPerSecond !== undefined && bytesPerSecond > 0;
      const secondsLeft = known ? left / bytesPerSecond : undefined;
      return { ...progress, item, bytesPerSecond, secondsLeft, from: placesOf(progress) };
    });
  }
}

/** The places that bytes come from, the busiest first: those of now, else all. */
export function placesOf({ sources }: FileProgress): readonly string[] {
  const flowing = sources.filter(({ connections }) => connections > 0);
  return (flowing.length > 0 ? flowing : sources)
    .toSorted((a, b) => b.connections - a.connections || b.bytes - a.bytes)
    .map(({ origin, connections }) => {
      const host = origin.replace(/^https?:\/\//, '');
      return connections > 1 ? `${host} (${connections})` : host;
    });
}
