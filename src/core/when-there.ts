/** What `next` makes of a value that may still have to be waited for; at once where it is there. */
export function whenThere<T, R>(
  value: Promise<T> | T,
  next: (value: T) => Promise<R> | R,
): Promise<R> | R {
  return value instanceof Promise ? value.then(next) : next(value);
}
