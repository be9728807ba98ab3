import { requestDirectives } from '../policy/request-directives.ts';
import { bringsWhole, type Resource } from './resource.ts';

/** Why an exchange is for this request alone from the beginning; undefined: it may be for others. */
export function aloneReason(resource: Resource, stored: boolean): string | undefined {
  const { request, classification } = resource;
  if (classification.unshared !== undefined) return classification.unshared;
  if (stored || (bringsWhole(resource) && !requestDirectives(request.headers).noStore)) {
    return undefined;
  }
  return `${request.method} of what is not stored`;
}
