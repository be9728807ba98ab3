import { readFileSync } from 'node:fs';

/** A certificate for `localhost`, `self-signed.test` and 127.0.0.1 that only tests know. */
export const selfSigned = {
  key: readFileSync(new URL('self-signed.key', import.meta.url), 'utf8'),
  cert: readFileSync(new URL('self-signed.pem', import.meta.url), 'utf8'),
};
