import type { ResponseFields } from './surfaces/response-fields.ts';
import { cacheStatusField } from './telemetry/cache-status.ts';
import { proxyStatusField } from './telemetry/proxy-status.ts';
import { serverTimingField } from './telemetry/server-timing.ts';
import { viaName } from './telemetry/via.ts';

/** How responses say what became of their requests. */
export const responseFields: ResponseFields = {
  cacheStatus: cacheStatusField,
  proxyStatus: ({ upstream, cacheStatus: { fwdStatus } }, { code, message, origin }) =>
    proxyStatusField({
      error: code,
      ...(origin !== 'gateway' && { detail: message }),
      ...(upstream !== undefined && { nextHop: upstream }),
      ...(fwdStatus !== undefined && { receivedStatus: fwdStatus }),
    }),
  serverTiming: serverTimingField,
  via: `1.1 ${viaName}`,
};
