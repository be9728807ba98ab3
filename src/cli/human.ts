const units = ['KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Bytes for people, three digits or so: `324 B`, `1.46 MiB`, `12.3 GiB`. */
export function humanBytes(bytes: number): string {
  let value = bytes;
  let unit = 'B';
  for (const next of units) {
    // What would be written as 1000 is written as 0.98 of the next.
    if (value < 999.5) break;
    value /= 1024;
    unit = next;
  }
  if (unit === 'B') return `${Math.round(value)} B`;
  return `${value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)} ${unit}`;
}

/** Seconds for people: `0:07`, `12:34`, `3:05:00`; more than four days are `--:--`. */
export function humanTime(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (!(whole < 360_000)) return '--:--';
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}
