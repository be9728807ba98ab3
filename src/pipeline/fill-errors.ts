import { GatewayError } from '../core/errors.ts';

export function incomplete(size: number, expected: number): GatewayError {
  return new GatewayError('http_response_incomplete', `body has ${size} of ${expected} bytes`, {
    origin: 'upstream',
    retryable: true,
  });
}

export function brokenOff(): GatewayError {
  return new GatewayError('http_response_incomplete', 'the body broke off', { origin: 'upstream' });
}

export function anotherDigestTold(): GatewayError {
  return new GatewayError('digest_mismatch', 'the response tells another digest of its body', {
    origin: 'upstream',
  });
}

export function digestMismatch(): GatewayError {
  return new GatewayError('digest_mismatch', 'body does not have the digest it must have', {
    origin: 'upstream',
    retryable: true,
  });
}

export function unreadable(cause: unknown): GatewayError {
  return new GatewayError('storage_failed', 'stored part of the body could not be read back', {
    origin: 'storage',
    cause,
  });
}

export function unread(): GatewayError {
  return new GatewayError('client_gone', 'nobody reads a body that is not stored', {
    origin: 'client',
  });
}

/**
 * Whether what has arrived is right as far as it goes, though no more is coming: a later fill may
 * take it up. Not after a sign that its bytes are not of one body, nor after trouble with the store.
 */
export function leavesRightBytes({ code, origin }: GatewayError): boolean {
  if (code === 'digest_mismatch' || code === 'representation_changed') return false;
  return origin === 'upstream' || code === 'shutting_down';
}
