/** Puts it behind all others of the map, and forgets the first where there are more than `atMost`. */
export function remember<K, V>(map: Map<K, V>, key: K, value: V, atMost: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= atMost) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    break;
  }
}
