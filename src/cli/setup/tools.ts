import { nearest } from '../../config/suggest.ts';
import { refuse, type Tool } from './tool.ts';
import { apt } from './tools/apt.ts';
import { bundler } from './tools/bundler.ts';
import { cargo } from './tools/cargo.ts';
import { composer } from './tools/composer.ts';
import { containerd } from './tools/containerd.ts';
import { docker } from './tools/docker.ts';
import { gem } from './tools/gem.ts';
import { go } from './tools/go.ts';
import { gradle } from './tools/gradle.ts';
import { maven } from './tools/maven.ts';
import { npm } from './tools/npm.ts';
import { nuget } from './tools/nuget.ts';
import { pip } from './tools/pip.ts';
import { pnpm } from './tools/pnpm.ts';
import { uv } from './tools/uv.ts';
import { yarn } from './tools/yarn.ts';

/** Every tool that can be set up. */
export const tools: readonly Tool[] = [
  npm,
  pnpm,
  yarn,
  pip,
  uv,
  cargo,
  go,
  maven,
  gradle,
  gem,
  bundler,
  apt,
  docker,
  containerd,
  nuget,
  composer,
];

/** The tool with this name. Throws a TypeError that names the tools there are. */
export function toolNamed(name: string): Tool {
  const found = tools.find(({ id }) => id === name);
  if (found) return found;
  const ids = tools.map(({ id }) => id);
  const near = nearest(name, ids);
  const hint = near === undefined ? '' : ` Did you mean ${near}?`;
  return refuse(`there is no setup for ${name}.${hint} There is for: ${ids.join(', ')}`);
}
