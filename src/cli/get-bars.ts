import { stripVTControlCharacters } from 'node:util';
import type { GetView } from './get-report.ts';
import { humanBytes, humanTime } from './human.ts';

export interface BarStyle {
  /** Cells of the terminal. */
  readonly columns: number;
  /** Whether block characters can be shown. */
  readonly unicode: boolean;
}

const barCells = 24;
const leastBarCells = 8;
const nameCells = 28;

/** A line for each download, and with several one for all of them together. */
export function barLines(views: readonly GetView[], style: BarStyle): readonly string[] {
  const widest = Math.max(0, ...views.map(({ item }) => item.name.length));
  const width = Math.min(nameCells, widest, Math.floor(style.columns / 3));
  const lines = views.map((view) =>
    barLine(shortened(view.item.name, width, style).padEnd(width), view, style),
  );
  if (views.length < 2) return lines;
  return [...lines, barLine(shortened('all', width, style).padEnd(width), together(views), style)];
}

type Figures = Pick<GetView, 'received' | 'size' | 'bytesPerSecond' | 'secondsLeft' | 'from'>;

function barLine(name: string, view: Figures, style: BarStyle): string {
  const { received, size, bytesPerSecond, secondsLeft, from } = view;
  const share = size === undefined ? undefined : size === 0 ? 1 : received / size;
  const percent = share === undefined ? '    ' : `${String(Math.floor(share * 100)).padStart(3)}%`;
  const bytes = humanBytes(received).padStart(8);
  const of = size === undefined ? bytes : `${bytes} of ${humanBytes(size).padEnd(8)}`;
  const rate = bytesPerSecond === undefined ? '' : `${humanBytes(bytesPerSecond)}/s`;
  const left = secondsLeft === undefined ? '' : `${humanTime(secondsLeft)} left`;
  const figures = [percent, of, rate.padStart(10), left.padStart(10)].join('  ');
  const room = style.columns - name.length - figures.length - 4;
  const cells = Math.max(0, Math.min(barCells, room));
  const bar = cells < leastBarCells ? '' : `${drawn(share, cells, style)}  `;
  const places = from.length === 0 ? '' : `  ${from.join(', ')}`;
  return shortened(`${name}  ${bar}${figures}${places}`.trimEnd(), style.columns - 1, style);
}

function drawn(share: number | undefined, cells: number, { unicode }: BarStyle): string {
  const full = Math.floor((share ?? 0) * cells);
  const [done, open] = unicode ? ['█', '░'] : ['#', '-'];
  return done.repeat(full) + open.repeat(cells - full);
}

function together(views: readonly GetView[]): Figures {
  const sum = (of: (view: GetView) => number | undefined): number =>
    views.reduce((all, view) => all + (of(view) ?? 0), 0);
  const known = views.every(({ size }) => size !== undefined);
  const received = sum((view) => view.received);
  const bytesPerSecond = sum((view) => view.bytesPerSecond);
  if (!known) {
    return { received, size: undefined, bytesPerSecond, secondsLeft: undefined, from: [] };
  }
  const size = sum((view) => view.size);
  const secondsLeft = bytesPerSecond > 0 ? (size - received) / bytesPerSecond : undefined;
  return { received, size, bytesPerSecond, secondsLeft, from: [] };
}

/** What a server chose to be called must not speak to the terminal, nor break the line. */
function shortened(text: string, cells: number, { unicode }: BarStyle): string {
  const plain = stripVTControlCharacters(text);
  if (plain.length <= cells) return plain;
  const mark = unicode ? '…' : '~';
  return `${plain.slice(0, Math.max(0, cells - 1))}${mark}`;
}
