import { once } from 'node:events';
import { Writable } from 'node:stream';
import type { CliIo, Signal } from '../../src/cli/io.ts';
import type { LogFields, Logger } from '../../src/core/logger.ts';
import { plainHost } from '../config/support.ts';
import { processProbe } from '../support/process-probe.ts';

/** A stream that keeps its text. */
export class TextSink extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** A process that does not exist: signals are sent by `signal`, exits are noted. */
export class FakeProcess {
  readonly stdout = new TextSink();
  readonly stderr = new TextSink();
  readonly exits: number[] = [];
  readonly #listeners = new Map<Signal, () => void>();
  crash: (error: unknown) => void = () => undefined;

  signal(name: Signal): void {
    const listener = this.#listeners.get(name);
    if (!listener) throw new Error(`nobody listens for ${name}`);
    listener();
  }

  io(overrides: Partial<CliIo> = {}): CliIo {
    return {
      stdout: this.stdout,
      stderr: this.stderr,
      isTerminal: true,
      probe: processProbe,
      version: '1.2.3',
      nodeVersion: '26.0.0',
      env: {},
      cwd: '/work-folder',
      processes: { own: 1, isRunning: () => false },
      hostDefaults: async () => plainHost,
      onSignal: (signal, listener) => void this.#listeners.set(signal, listener),
      onCrash: (listener) => {
        this.crash = listener;
      },
      exit: (code) => void this.exits.push(code),
      ...overrides,
    };
  }
}

/** A logger that keeps its lines. */
export class FakeLog implements Logger {
  readonly lines: { level: string; fields: LogFields; message: string }[] = [];
  level: Logger['level'] = 'info';
  trace = this.#at('trace');
  debug = this.#at('debug');
  info = this.#at('info');
  warn = this.#at('warn');
  error = this.#at('error');
  fatal = this.#at('fatal');
  child = (): Logger => this;
  enabled = (): boolean => true;

  #at(level: string): (fields: LogFields, message: string) => void {
    return (fields, message) => void this.lines.push({ level, fields, message });
  }
}

/** What a child process said, and how it ended. */
export async function outcome(
  child: import('node:child_process').ChildProcess,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}
