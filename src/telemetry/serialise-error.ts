import { GatewayError } from '../core/errors.ts';

/** An error as the log shows it; without a code it is a bug and keeps its stack. */
export interface SerialisedError {
  readonly message: string;
  readonly name?: string;
  readonly code?: string;
  readonly origin?: string;
  readonly stack?: string;
  readonly cause?: SerialisedError;
  /** The members of an AggregateError, such as the failures of each address that was tried. */
  readonly errors?: readonly SerialisedError[];
}

const deepest = 5;

/** Code, origin, message and the chain of causes, at most five deep; anything may have been thrown. */
export function serialiseError(error: unknown, depth = 0): SerialisedError {
  if (!(error instanceof Error)) return { message: describe(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const further = depth < deepest;
  return {
    ...(error instanceof GatewayError ? { origin: error.origin } : { name: error.name }),
    ...(code === undefined ? {} : { code }),
    message: error.message,
    ...(code === undefined && error.stack !== undefined ? { stack: error.stack } : {}),
    ...(further && error.cause !== undefined
      ? { cause: serialiseError(error.cause, depth + 1) }
      : {}),
    ...(further && error instanceof AggregateError
      ? { errors: error.errors.slice(0, 8).map((member) => serialiseError(member, depth + 1)) }
      : {}),
  };
}

function describe(thrown: unknown): string {
  return typeof thrown === 'string' ? thrown : `thrown, but not an error: ${typeof thrown}`;
}
