import { isDeepStrictEqual } from 'node:util';
import type { Config } from './config.ts';
import { settings } from './declarations.ts';
import { valueAt } from './issues.ts';
import { settingsOf } from './setting.ts';

/** The settings that differ and take effect only after a restart, such as `listen.port`. */
export function restartNeeded(before: Config, after: Config): readonly string[] {
  return [...settingsOf(settings)]
    .filter(({ path, setting }) => {
      const parts = path.split('.');
      return (
        !setting.reloadable && !isDeepStrictEqual(valueAt(before, parts), valueAt(after, parts))
      );
    })
    .map(({ path }) => path);
}
