import { byteRate, places, region, urlPattern, urlTemplate } from './mirror-types.ts';
import { oneOf } from './scalar-types.ts';
import { optional, required, type SettingList, setting } from './setting.ts';

/** How far a place is believed. */
export const trusts = ['full', 'verified'] as const;

/** What upstreams of mounts and mirrors of rules have in common. */
export const placeFields = {
  concurrency: optional(
    places,
    "the ecosystem's in `limits.ecosystems`, else `limits.concurrency`",
    'Requests to the origin of this URL at a time; more of them queue.',
  ),
  bandwidth: optional(byteRate, 'no limit', 'The most that is taken from the origin of this URL.'),
  region: optional(
    region,
    'nobody knows',
    'Where it is. Before anything is measured, places in the `region` of the gateway come first.',
  ),
};

const targetFields = {
  url: required(
    urlTemplate,
    'Where the same file is: an http or https URL with the captures of `match` as `{name}` in its path.',
  ),
  ...placeFields,
  trust: setting(
    oneOf(trusts),
    'verified',
    '`verified` serves only what a digest or the strong validator of the origin proves; `full` is a place of your own that is believed as the origin is. Credentials go to neither.',
  ),
};

const ruleFields = {
  match: required(
    urlPattern,
    'Which URLs: an http or https URL whose path may hold `{name}` for a part of one segment and at last `{name*}` for the rest.',
  ),
  to: {
    kind: 'list',
    fields: targetFields,
    doc: 'The mirrors of these URLs.',
    minimum: 1,
    reloadable: true,
  } satisfies SettingList<typeof targetFields>,
};

/** The list of URL rules. */
export const mirrors = {
  kind: 'list',
  fields: ruleFields,
  doc: 'Rules that name mirrors for URLs of any origin, besides the upstreams of the mounts. Only a file can hold them.',
  minimum: 0,
  reloadable: true,
} satisfies SettingList<typeof ruleFields>;
