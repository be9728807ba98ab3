/** What is waited for clients; milliseconds. */
export interface ListenerTimes {
  /** For the whole head of a request. */
  readonly head: number;
  /** For another request on a connection. */
  readonly keepAlive: number;
  /** Who takes and gives nothing for this long is gone. */
  readonly stalled: number;
}

export const defaultTimes: ListenerTimes = { head: 60_000, keepAlive: 75_000, stalled: 120_000 };
