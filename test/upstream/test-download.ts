import type { DownloadRequest } from '../../src/upstream/downloader.ts';
import { type ScriptedOrigin, scriptedOrigin } from '../support/scripted-origin.ts';

/** A trusted GET that follows redirects. */
export function request(url: string, more: Partial<DownloadRequest> = {}): DownloadRequest {
  return {
    method: 'GET',
    url,
    headers: [],
    upstreams: [],
    trusted: true,
    redirects: 'follow',
    ...more,
  };
}

/** Two origins for the running test. */
export async function two(): Promise<[ScriptedOrigin, ScriptedOrigin]> {
  return [await scriptedOrigin(), await scriptedOrigin()];
}
