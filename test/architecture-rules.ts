import { posix } from 'node:path';

/**
 * Which room may import what. A place ends in a slash (a folder), in `.ts` (one file), or in a dash
 * (the files that one has been divided into).
 */
const rooms: Readonly<Record<string, readonly string[]>> = {
  'src/main.ts': ['src/gateway.ts', 'src/config/', 'src/cli/', 'package.json'],
  'src/gateway.ts': ['src/'],
  'src/gateway-': ['src/'],
  'src/config/': ['src/core/'],
  'src/core/': [],
  'src/policy/': ['src/core/'],
  'src/ecosystems/': ['src/core/'],
  'src/surfaces/': ['src/core/', 'src/policy/', 'src/ecosystems/ecosystem.ts', 'src/pipeline/'],
  'src/pipeline/': [
    'src/core/',
    'src/policy/',
    'src/ecosystems/ecosystem.ts',
    'src/storage/store.ts',
    'src/upstream/',
  ],
  'src/storage/': ['src/core/', 'src/policy/byte-range.ts'],
  'src/upstream/': ['src/core/', 'src/policy/byte-range.ts'],
  'src/telemetry/': ['src/core/'],
  'src/tls/': ['src/core/'],
  'src/cli/': [
    'src/core/',
    'src/config/',
    'src/gateway.ts',
    'src/gateway-get.ts',
    'src/gateway-get-',
    'src/gateway-hosts.ts',
    'src/telemetry/profiler.ts',
    'src/tls/',
    'src/upstream/',
  ],
};

/** Where each npm package may be imported: the beginning of the importing file's path. */
const homes: Readonly<Record<string, readonly string[]>> = {
  '@keyv/sqlite': ['src/storage/'],
  asn1js: ['src/tls/'],
  commander: ['src/cli/', 'src/main.ts'],
  'fastest-levenshtein': ['src/config/'],
  'http-proxy-3': ['src/surfaces/passthrough'],
  'ipaddr.js': ['src/core/network.ts'],
  keyv: ['src/storage/'],
  'log-update': ['src/cli/'],
  'lru-cache': ['src/storage/engines/memory', 'src/tls/'],
  pino: ['src/telemetry/'],
  'pino-pretty': ['src/telemetry/'],
  pkijs: ['src/tls/'],
  'prom-client': ['src/telemetry/'],
  'registry-url': ['src/config/'],
  undici: ['src/upstream/transport'],
  'xz-decompress': ['src/pipeline/unpacked-file'],
  yaml: ['src/config/', 'src/cli/setup/edits/'],
  zod: ['src/config/'],
};

/** Why `path` may not import `specifier`; undefined when it may. */
export function importViolation(path: string, specifier: string): string | undefined {
  if (specifier === 'node:process' || specifier === 'process') {
    return path === 'src/main.ts' ? undefined : 'only src/main.ts touches the process';
  }
  if (specifier.startsWith('node:')) return undefined;
  return specifier.startsWith('.')
    ? roomViolation(path, specifier)
    : homeViolation(path, specifier);
}

function roomViolation(path: string, specifier: string): string | undefined {
  const target = posix.join(posix.dirname(path), specifier);
  if (!/\.(?:ts|json)$/.test(target)) return 'imports carry their extension';
  const room = roomOf(path);
  if (room === undefined) return 'the file is in no room';
  if (room.endsWith('/') && target.startsWith(room)) return undefined;
  const allowed = rooms[room] ?? [];
  if (allowed.some((place) => isIn(place, target))) return undefined;
  return `${room} may import ${allowed.join(', ') || 'nothing of ours'}`;
}

function homeViolation(path: string, specifier: string): string | undefined {
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  const home = homes[name];
  if (home === undefined) return 'the package has no home: name it in the rules';
  return home.some((place) => path.startsWith(place))
    ? undefined
    : `its home is ${home.join(', ')}`;
}

/** The room's key in the table above. */
export function roomOf(path: string): string | undefined {
  return Object.keys(rooms).find((room) => isIn(room, path));
}

function isIn(place: string, path: string): boolean {
  return place.endsWith('.ts') ? path === place : path.startsWith(place);
}

/** The packages that have a home. */
export const housedPackages: readonly string[] = Object.keys(homes);
