import { describe } from 'vitest';
import type { CachingConfig } from '../../src/config/config.ts';
import { type TestGateway, type TestGatewayOptions, testGateway } from '../support/gateway.ts';
import { type HttpOrigin, httpOrigin } from '../support/http-origin.ts';

/** A gateway in front of an origin, reached one way or the other. */
export interface Setup {
  readonly origin: HttpOrigin;
  readonly gateway: TestGateway;
  /** The target that names a path of the origin on this surface. */
  at(path: string): string;
}

export interface SurfaceOptions extends TestGatewayOptions {
  /** What the mount says for itself, where the surface is one. */
  readonly mountSettings?: Partial<CachingConfig>;
}

/** Runs the same tests below a mount and through the forward proxy. */
export function overSurfaces(
  name: string,
  tests: (setup: (options?: SurfaceOptions) => Promise<Setup>) => void,
): void {
  describe.each(['mount', 'forward proxy'] as const)(`${name} over the %s`, (surface) => {
    tests(async ({ mountSettings, ...options } = {}) => {
      const origin = await httpOrigin();
      const gateway = await testGateway({
        ...options,
        ...(surface === 'mount' && {
          mounts: [{ path: '/files', url: origin.url, ...mountSettings }],
        }),
      });
      const at = (path: string) => (surface === 'mount' ? `/files${path}` : `${origin.url}${path}`);
      return { origin, gateway, at };
    });
  });
}
