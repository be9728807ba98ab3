/** Connections at once for one body: the most to one mirror, and to all where nothing is said. */
const perMirror = 8;
const builtIn = 1;

/** Over how many connections at once a body may come from mirrors with so many places each. */
export function connectionsFor(
  places: readonly number[],
  limits: { readonly connections?: number; readonly connectionsEach?: number },
): number {
  const { connections = builtIn, connectionsEach = perMirror } = limits;
  const sum = places.reduce((all, some) => all + Math.min(connectionsEach, some), 0);
  return Math.min(connections, sum);
}
