import { misuse } from './storage-error.ts';

interface Extent {
  start: number;
  end: number;
}

/** Which bytes of a growing body are there: sorted, disjoint extents, ends exclusive. */
export class Extents {
  readonly #extents: Extent[] = [];

  /** Adds bytes that were not there; throws where they were: ranges of a body do not overlap. */
  add(start: number, end: number): void {
    const next = this.#after(start);
    const before = this.#extents[next - 1];
    const after = this.#extents[next];
    if ((before && before.end > start) || (after && after.start < end)) {
      throw misuse('bytes of a body were written twice');
    }
    const joinsBefore = before !== undefined && before.end === start;
    const joinsAfter = after !== undefined && after.start === end;
    if (joinsBefore && joinsAfter) {
      before.end = after.end;
      this.#extents.splice(next, 1);
    } else if (joinsBefore) before.end = end;
    else if (joinsAfter) after.start = start;
    else this.#extents.splice(next, 0, { start, end });
  }

  /** Takes bytes out that are there, all of one run. */
  remove(start: number, end: number): void {
    const at = this.#after(start) - 1;
    const extent = this.#extents[at];
    if (!extent || extent.end < end) throw misuse('bytes of a body were not there');
    const rest = [
      { start: extent.start, end: start },
      { start: end, end: extent.end },
    ].filter((each) => each.end > each.start);
    this.#extents.splice(at, 1, ...rest);
  }

  /** End of the run of bytes that begins at `position`, or `position` when that byte is not there. */
  endFrom(position: number): number {
    const extent = this.#extents[this.#after(position) - 1];
    return extent && extent.end > position ? extent.end : position;
  }

  /** Whether exactly the bytes from 0 to `size` are there. */
  isWhole(size: number): boolean {
    if (size === 0) return this.#extents.length === 0;
    const only = this.#extents[0];
    return this.#extents.length === 1 && only?.start === 0 && only.end === size;
  }

  /** All extents in order, ends exclusive. */
  all(): readonly Readonly<Extent>[] {
    return this.#extents;
  }

  /** Index of the first extent that starts after `position`. */
  #after(position: number): number {
    let low = 0;
    let high = this.#extents.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#extents[middle] as Extent).start <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
