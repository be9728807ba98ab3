import { ecosystemIds } from '../core/ecosystem-ids.ts';
import { setCookieRules } from '../core/store-rules.ts';
import { fieldName } from './http-types.ts';
import { placeFields, trusts } from './mirror-declarations.ts';
import { urlHost } from './network-types.ts';
import { duration, oneOf, trueOrFalse } from './scalar-types.ts';
import { authorization } from './secret-types.ts';
import { optional, required, type SettingList, setting } from './setting.ts';
import { mountPath, upstreamUrl } from './url-types.ts';
import { listOf } from './value-type.ts';

const tenYears = 3_650 * 86_400_000;

const upstreamFields = {
  url: required(
    upstreamUrl,
    'Absolute URL. What follows the path of the mount is appended to it, the query unchanged.',
  ),
  authorization: optional(
    authorization,
    'none',
    'The `Authorization` field for requests to the origin of this URL, and to no other, in place of what the client sent.',
    { secret: true },
  ),
  ...placeFields,
  trust: setting(
    oneOf(trusts),
    'full',
    '`full` is a source that is believed; `verified` one of somebody else, which serves only what a digest or the strong validator of the first upstream proves, and sees no credentials.',
  ),
};

const mountFields = {
  path: required(
    mountPath,
    'Where clients find it; a trailing slash does not matter. The longest match wins, and `/` takes the rest.',
  ),
  ecosystem: required(
    oneOf(ecosystemIds),
    'What the upstream holds; `generic` is any plain HTTP origin.',
  ),
  upstreams: {
    kind: 'list',
    fields: upstreamFields,
    doc: 'One or more equivalent sources: the fastest one is asked first, the next one when it fails.',
    minimum: 1,
    reloadable: true,
  } satisfies SettingList<typeof upstreamFields>,
  negativeTtl: optional(
    duration(0, tenYears),
    'the global `negativeTtl`',
    'How long a 404 or 410 from this mount is kept.',
  ),
  staleIfError: optional(
    duration(0, tenYears),
    'the global `staleIfError`',
    'How long past its freshness a response from this mount may stand in for a failing upstream.',
  ),
  staleOnDisconnect: optional(
    trueOrFalse,
    'the global `staleOnDisconnect`',
    'Whether it may do so also where the upstream of this mount gives no answer at all.',
  ),
  cacheControlFields: optional(
    listOf(fieldName),
    'the global `cacheControlFields`',
    'Targeted fields that the responses of this mount are read by, by precedence.',
  ),
  storeSetCookie: optional(
    oneOf(setCookieRules),
    'the global `storeSetCookie`',
    'Whether a response from this mount that sets a cookie is stored.',
  ),
  storeServerErrors: optional(
    trueOrFalse,
    'the global `storeServerErrors`',
    'Whether a 5xx from this mount that says how long it is fresh is stored.',
  ),
  defaultTtl: optional(
    duration(0, tenYears),
    'a tenth of the age that `Last-Modified` tells for apt and generic, elsewhere `5m`',
    'How long a 200 from this mount that says nothing of its freshness is fresh.',
  ),
  redirects: setting(
    oneOf(['auto', 'follow', 'forward']),
    'auto',
    'Whether the gateway follows redirects itself and stores what they lead to, or forwards them to the client. `auto` follows for package ecosystems and forwards for `generic`.',
  ),
  indexes: setting(
    oneOf(['auto', 'ordered', 'equal']),
    'auto',
    'Whether documents that change are asked of the upstreams in their order (`ordered`), so that they are of one moment, or of the fastest one as anything else (`equal`). `auto` is `equal` for `generic` and `ordered` for package ecosystems.',
  ),
  hosts: setting(
    listOf(urlHost),
    [],
    'Other hosts, with `:port` where it is not the default one, whose absolute URLs in the indexes of this mount are fetched through it; for oci those of token services.',
  ),
  tarballs: optional(
    oneOf(['auto', 'canonical', 'rewrite']),
    '`auto`',
    'npm only: whether tarball URLs in package documents keep the canonical public host (`canonical`), point at the gateway (`rewrite`), or what suits the client (`auto`).',
  ),
};

/** The list of mounts. */
export const mounts = {
  kind: 'list',
  fields: mountFields,
  doc: 'What the gateway serves by path. Only a file can hold it; without it the mounts are those that the npm and apt configuration of this host suggests and one for each public index that is known, and with an empty list there are none.',
  minimum: 0,
  reloadable: true,
} satisfies SettingList<typeof mountFields>;
