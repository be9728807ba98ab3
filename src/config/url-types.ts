import { canonicalUrl, hasDotSegments, originOf, pathOf } from '../core/canonical-url.ts';
import { type Accepted, describe, leafSchema, refuse, type ValueType } from './value-type.ts';

/** The public URL: canonical, without a trailing slash. */
export const publicUrl: ValueType<string> = urlType(
  'give the URL that clients use, such as https://cache.example.com',
);

/** An upstream's URL: canonical, without a trailing slash. */
export const upstreamUrl: ValueType<string> = urlType(
  'give an absolute URL such as https://mirror.example.com/debian',
);

/** Where a mount stands: begins with `/`, without a trailing slash unless it is `/` itself. */
export const mountPath: ValueType<string> = {
  name: 'path',
  json: { type: 'string', pattern: "^/([A-Za-z0-9._~!$&'()*+,;=:@-]+(/|$))*$" },
  schema: leafSchema((input) => {
    const right = 'give a path such as /npm, of letters, digits and -._~ between single slashes';
    if (typeof input !== 'string' || !/^\/([\w.~!$&'()*+,;=:@-]+(\/|$))*$/.test(input)) {
      return refuse(input, 'a path for a mount', right);
    }
    if (hasDotSegments(input)) return refuse(input, 'a path for a mount', 'leave . and .. out');
    return { value: input === '/' ? input : input.replace(/\/$/, '') };
  }),
  fromText: (text) => text,
  format: (value) => value,
};

/** The URL in the form that the rest of the program uses, or why it cannot be used. */
export function acceptUrl(input: unknown, right: string): Accepted<string> {
  if (typeof input !== 'string') return refuse(input, 'a URL', right);
  // Credentials first, and without quoting what may hold them.
  if (/^[a-z]+:\/\/[^/?#]*@/i.test(input)) {
    return { wrong: 'the URL holds credentials', right: 'take them out and use `authorization`' };
  }
  const canonical = /^[!-~]+$/.test(input) ? canonicalUrl(input) : undefined;
  if (canonical === undefined) return refuse(bare(input), 'an absolute http or https URL', right);
  if (/[?#]/.test(input)) {
    return { wrong: `${describe(bare(input))} has a query or fragment`, right: 'leave it out' };
  }
  const path = pathOf(canonical);
  if (hasDotSegments(path)) {
    return { wrong: `${describe(input)} has . or .. in its path`, right: 'write the path out' };
  }
  return { value: `${originOf(canonical)}${path.replace(/\/+$/, '')}` };
}

/** A query may be a signature: it is not repeated in messages. */
function bare(url: string): string {
  return url.replace(/[?#].*$/s, '');
}

function urlType(right: string): ValueType<string> {
  return {
    name: 'URL',
    json: { type: 'string', pattern: '^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@\\s]+(/[^?#\\s]*)?$' },
    schema: leafSchema((input) => acceptUrl(input, right)),
    fromText: (text) => text,
    format: (value) => value,
  };
}
