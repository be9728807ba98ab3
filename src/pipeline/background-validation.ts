import type { ArtifactMeta } from '../core/artifact-meta.ts';
import type { Logger } from '../core/logger.ts';
import type { Obtained } from './obtain.ts';
import { background, type Resource } from './resource.ts';

export type Validate = (
  resource: Resource,
  stored: ArtifactMeta,
  variants: readonly ArtifactMeta[],
) => Promise<Obtained>;

/** Validations behind the clients' backs, one at a time for each URL. RFC 5861 section 3. */
export class BackgroundValidation {
  readonly #validate: Validate;
  readonly #log: Logger;
  readonly #urls = new Set<string>();

  constructor(validate: Validate, log: Logger) {
    this.#validate = validate;
    this.#log = log;
  }

  start(resource: Resource, stored: ArtifactMeta, variants: readonly ArtifactMeta[]): void {
    const { url } = resource.request;
    if (this.#urls.has(url)) return;
    this.#urls.add(url);
    this.#validate(background(resource), stored, variants)
      .then(letGo, (err: unknown) => this.#log.warn({ url, err }, 'background validation failed'))
      .finally(() => this.#urls.delete(url));
  }
}

/** What is not stored is of no use. */
function letGo(obtained: Obtained): void {
  if (obtained.kind === 'alone') obtained.response.abort();
  else if (obtained.arrival.kind === 'fill' && obtained.leader) obtained.arrival.fill.release();
}
