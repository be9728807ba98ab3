import { stripVTControlCharacters } from 'node:util';
import { countsAt, listAt, numberAt, textAt } from './foreign-json.ts';
import { humanBytes, humanTime } from './human.ts';
import { type Column, tableLines } from './table.ts';

/** The documents of a gateway's admin side, as they came. */
export interface GatewayFigures {
  readonly stats: unknown;
  readonly mirrors: unknown;
  readonly fills: unknown;
}

const left = (head: string): Column => ({ head, side: 'left' });
const right = (head: string): Column => ({ head, side: 'right' });

/** The figures of a running gateway for people; what it does not say is left out. */
export function statsText({ stats, mirrors, fills }: GatewayFigures): string {
  const parts = [
    summary(stats),
    kinds(stats),
    tiers(stats),
    mirrorTable(mirrors),
    transfers(fills),
  ].filter((lines) => lines.length > 0);
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function summary(stats: unknown): readonly string[] {
  const up = numberAt(stats, 'uptimeSeconds');
  const outcomes = countsAt(stats, 'traffic', 'requests', 'byOutcome')
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${count}`);
  const errors = countsAt(stats, 'traffic', 'requests', 'errors').map(
    ([name, count]) => `${name} ${count}`,
  );
  const at = (name: string): string => bytes(numberAt(stats, 'traffic', 'bytes', name));
  return [
    `Millrace ${text(stats, 'version')} at ${text(stats, 'url')}, up ${up === undefined ? '–' : humanTime(up)}`,
    `Requests   ${count(stats, 'traffic', 'requests', 'total')}${outcomes.length > 0 ? `: ${outcomes.join(', ')}` : ''}`,
    `Hit ratio  ${share(stats, 'requests')} of requests, ${share(stats, 'bytes')} of bytes`,
    `Bytes      ${at('toClients')} to clients, ${at('fromUpstreams')} from upstreams, ${at('saved')} saved`,
    ...(errors.length > 0 ? [`Errors     ${errors.join(', ')}`] : []),
  ];
}

function kinds(stats: unknown): readonly string[] {
  const columns = [
    left('ecosystem'),
    left('kind'),
    right('requests'),
    right('upstream'),
    right('bytes'),
  ];
  const rows = listAt(stats, 'traffic', 'requests', 'byKind').map((row) => [
    text(row, 'ecosystem'),
    text(row, 'kind'),
    count(row, 'requests'),
    count(row, 'upstreamRequests'),
    bytes(numberAt(row, 'bytesToClients')),
  ]);
  return tableLines(columns, rows);
}

function tiers(stats: unknown): readonly string[] {
  const columns = [
    left('tier'),
    right('entries'),
    right('used'),
    right('bound'),
    right('evictions'),
  ];
  const rows = listAt(stats, 'tiers').map((tier) => [
    text(tier, 'name'),
    count(tier, 'entries'),
    bytes(numberAt(tier, 'bytes')),
    bytes(numberAt(tier, 'maxBytes')),
    count(tier, 'evictions'),
  ]);
  return tableLines(columns, rows);
}

function mirrorTable(mirrors: unknown): readonly string[] {
  const columns = [
    left('upstream or mirror'),
    left('state'),
    right('requests'),
    right('failures'),
    right('bytes'),
    right('active'),
    right('queued'),
  ];
  const rows = listAt(mirrors, 'mirrors').map((mirror) => [
    text(mirror, 'origin'),
    text(mirror, 'state') === 'closed' ? 'good' : 'pauses',
    count(mirror, 'requests'),
    count(mirror, 'failures'),
    bytes(numberAt(mirror, 'bytes')),
    count(mirror, 'active'),
    count(mirror, 'queued'),
  ]);
  return tableLines(columns, rows);
}

function transfers(fills: unknown): readonly string[] {
  const columns = [
    left('arriving'),
    right('bytes'),
    right('of'),
    right('speed'),
    right('left'),
    right('readers'),
  ];
  const rows = listAt(fills, 'fills').map((fill) => {
    const [speed, seconds] = [numberAt(fill, 'speed'), numberAt(fill, 'etaSeconds')];
    return [
      text(fill, 'url'),
      bytes(numberAt(fill, 'bytes')),
      bytes(numberAt(fill, 'size')),
      speed === undefined ? '–' : `${humanBytes(speed)}/s`,
      seconds === undefined ? '–' : humanTime(seconds),
      count(fill, 'readers'),
    ];
  });
  return tableLines(columns, rows);
}

/** A name may come from a client's URL: it must not speak to the terminal. */
function text(document: unknown, ...path: readonly string[]): string {
  return stripVTControlCharacters(textAt(document, ...path) ?? '–');
}

function count(document: unknown, ...path: readonly string[]): string {
  return String(numberAt(document, ...path) ?? '–');
}

function bytes(value: number | undefined): string {
  return value === undefined ? '–' : humanBytes(value);
}

function share(stats: unknown, of: string): string {
  const value = numberAt(stats, 'traffic', 'hitRatio', of);
  return value === undefined ? '–' : `${(value * 100).toFixed(1)}%`;
}
