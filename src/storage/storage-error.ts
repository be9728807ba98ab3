import { GatewayError } from '../core/errors.ts';

/** The bound, or the medium, cannot take the bytes. */
export function storageFull(message: string, cause?: unknown): GatewayError {
  return new GatewayError('storage_full', message, { origin: 'storage', cause });
}

/** The medium does not do what it must. */
export function storageFailed(message: string, cause?: unknown): GatewayError {
  return new GatewayError('storage_failed', message, { origin: 'storage', cause });
}

/** A body that a record names is not there, or not whole. */
export function bodyMissing(message: string, cause?: unknown): GatewayError {
  return new GatewayError('stored_body_missing', message, {
    origin: 'storage',
    retryable: true,
    cause,
  });
}

/** A caller broke the contract of the store. */
export function misuse(message: string): GatewayError {
  return new GatewayError('proxy_internal_error', message, { origin: 'gateway' });
}

/** Whether the store, and not its caller, is to blame: the caller goes on without it. */
export function isStorageError(error: unknown): error is GatewayError {
  return error instanceof GatewayError && error.origin === 'storage';
}
