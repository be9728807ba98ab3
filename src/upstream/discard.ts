import type { UpstreamResponse } from './upstream.ts';

/** Reading an unwanted body to its end saves the connection, if the body is no longer than this. */
const worthReadingBytes = 64 * 1024;

/** Lets go of a response whose body nobody wants; its connection is kept where that is cheap. */
export function discard(response: UpstreamResponse): void {
  let bytes = 0;
  response.consume({
    data(chunk) {
      bytes += chunk.length;
      if (bytes > worthReadingBytes) response.abort();
      return true;
    },
    end() {
      // The connection goes back to its pool.
    },
    error() {
      // The transport has told the observer; here the body was unwanted anyway.
    },
  });
}
