import { join } from 'node:path';
import { configHome, given } from '../places.ts';
import type { Place, Tool } from '../tool.ts';
import { npm, npmrcPlan } from './npm.ts';

/** pnpm: a file of its own in npm's format, so that npm does not change with it. pnpm.io/cli/config */
export const pnpm: Tool = {
  id: 'pnpm',
  programs: ['pnpm'],
  ecosystem: 'npm',
  overrides: npm.overrides,
  plan(ask) {
    const { place, scope } = ask;
    return npmrcPlan(ask, 'pnpm', scope === 'project' ? join(place.folder, '.npmrc') : own(place));
  },
};

function own(place: Place): string {
  const isMac = place.platform === 'darwin' && given(place.env.XDG_CONFIG_HOME) === undefined;
  const folder = isMac ? join(place.home, 'Library/Preferences') : configHome(place);
  return join(folder, 'pnpm/rc');
}
