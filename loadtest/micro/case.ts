/** One thing that is measured in this process, without sockets. */
export interface MicroCase {
  readonly name: string;
  /** Does it `times` times; what it returns keeps the work from being optimised away. */
  run(times: number): unknown;
  /** How often in one sample: enough to be long against the clock's resolution. */
  readonly times: number;
  /** Bytes that one time takes in; with it the figure is a throughput. */
  readonly bytes?: number;
  /** Nanoseconds that one time may cost. */
  readonly budget?: number;
}
