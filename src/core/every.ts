/** Starts a timer that runs every so many milliseconds; the result ends it. */
export type Every = (milliseconds: number, run: () => void) => () => void;

/** The system's timers; they keep no process alive. */
export const systemEvery: Every = (milliseconds, run) => {
  const timer = setInterval(run, milliseconds).unref();
  return () => clearInterval(timer);
};
