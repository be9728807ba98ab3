import { GatewayError } from '../core/errors.ts';
import type { RequestRecord } from '../core/request-record.ts';

/** Where there is no mount it was the client who named the private target, not an upstream. */
export function blameTheClient(error: GatewayError, { mount }: RequestRecord): GatewayError {
  if (error.code !== 'destination_ip_prohibited' || mount !== undefined) return error;
  return new GatewayError(error.code, `${error.message}: name it in forwardProxy.allow`, {
    origin: 'client',
    cause: error,
  });
}
