import { hasDotSegments, pathOf } from '../core/canonical-url.ts';
import type { Classification } from '../core/classification.ts';
import type { Ecosystem } from './ecosystem.ts';

const repository = String.raw`^(?:/(?:datasets|spaces))?/[\w.-]+(?:/[\w.-]+)?`;
const commit = '[0-9a-f]{40}';
const fileOfCommit = new RegExp(`${repository}/resolve/${commit}/.`);
const file = new RegExp(`${repository}/resolve/[^/]+/.`);
const infoOfCommit = new RegExp(
  String.raw`^/api/(?:models|datasets|spaces)/[\w.-]+(?:/[\w.-]+)?/revision/${commit}$`,
);
const info =
  /^\/api\/(?:models|datasets|spaces)\/[\w.-]+(?:\/[\w.-]+)?(?:\/(?:revision|tree)\/.+)?$/;

/** What a file is and how large, said by the hub itself before it leads on to where the bytes are. */
/** The SHA-256 of a large file. */
const digestField = 'x-linked-etag';
const keptFields = [digestField, 'x-repo-commit', 'x-linked-size'];

/**
 * The Hugging Face Hub, as `huggingface_hub` reads it with `HF_ENDPOINT`. Large files lie elsewhere,
 * behind redirects with signatures that expire: they are kept under their own names.
 */
export const huggingface: Ecosystem = {
  id: 'huggingface',
  hosts: ['huggingface.co'],
  classify: ({ url }) => classificationOf(pathOf(url)),
};

function classificationOf(path: string): Classification {
  const [plain = ''] = path.split('?', 1);
  if (hasDotSegments(path)) return { kind: 'index', freshness: 'rfc9111' };
  // `?download=true` means how a browser shows it.
  if (fileOfCommit.test(plain)) {
    return { kind: 'artifact', keptFields, digestField };
  }
  // A branch moves; where its files lie says otherwise of its own URLs.
  if (file.test(plain)) {
    return { kind: 'index', freshness: 'validate', keptFields, digestField };
  }
  if (infoOfCommit.test(plain)) return { kind: 'index', freshness: 'rfc9111' };
  if (info.test(plain)) return { kind: 'index', freshness: 'validate' };
  return { kind: 'passthrough', reason: 'neither a file nor what is said of a repository' };
}
