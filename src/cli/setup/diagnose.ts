import { diffLines } from './diff.ts';
import type { Finding, ToolState } from './finding.ts';
import type { JournalRecord } from './journal.ts';
import { given } from './places.ts';
import type { Ask, GatewayPlace, Place, Plan, SetupMode, SetupScope, Tool, Trust } from './tool.ts';

export interface DiagnoseOptions {
  readonly tool: Tool;
  readonly place: Place;
  readonly gateway: GatewayPlace;
  readonly trust: Trust | undefined;
  readonly records: readonly JournalRecord[];
  /** The user asked about this tool. */
  readonly named: boolean;
  /** The end of commands that set up: ` --url …`, or nothing. */
  readonly more: string;
}

export interface Diagnosis {
  readonly state: ToolState;
  readonly findings: readonly Finding[];
  /** Of a tool that is pointed at the gateway. */
  readonly plan?: Plan;
}

/** A stand-in: which certificates a file holds is seen by a handshake, not by comparing. */
const anyTrust: Trust = { authority: '', bundle: () => '', keystore: () => new Uint8Array() };

/** Whether a tool is configured as setup would have it, and what is in its way. */
export function diagnose(options: DiagnoseOptions): Diagnosis {
  const { tool, records, place, gateway } = options;
  const [last] = records.toReversed();
  const wanted = last?.mode ?? tool.defaultMode ?? 'registry';
  const other = wanted === 'registry' ? 'proxy' : 'registry';
  const pointed = find(options, wanted) ?? find(options, other);
  if (pointed) {
    const { plan, mode, scope } = pointed;
    return {
      state: { tool: tool.id, pointed: true, mode, scope },
      findings: overridden(tool, mode, plan, place, gateway),
      plan,
    };
  }
  const state = { tool: tool.id, pointed: false };
  return { state, findings: [notPointed(options, wanted, last)] };
}

interface Pointed {
  readonly plan: Plan;
  readonly mode: SetupMode;
  readonly scope: SetupScope;
}

function find(options: DiagnoseOptions, mode: SetupMode): Pointed | undefined {
  for (const scope of ['project', 'user'] as const) {
    for (const trust of trusts(options, mode)) {
      const plan = attempt(options, { mode, scope, ...(trust && { trust }) });
      if ('refused' in plan || !isCarriedOut(plan, options.place)) continue;
      return { plan: withOwnTrust(plan, options.place), mode, scope };
    }
  }
  return undefined;
}

/** A gateway at https may also have a certificate that everybody trusts. */
function trusts({ gateway }: DiagnoseOptions, mode: SetupMode): readonly (Trust | undefined)[] {
  if (mode === 'proxy') return [anyTrust, undefined];
  return gateway.url.startsWith('https:') ? [anyTrust, undefined] : [undefined];
}

function attempt(
  { tool, place, gateway }: DiagnoseOptions,
  how: Pick<Ask, 'mode' | 'scope' | 'trust'>,
): Plan | { readonly refused: string } {
  try {
    return tool.plan({ place, gateway, ...how });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { refused: error.message };
  }
}

function isCarriedOut({ files, env = {} }: Plan, place: Place): boolean {
  const settings = files.filter(({ about }) => about === undefined);
  const variables = Object.entries(env);
  return (
    settings.length + variables.length > 0 &&
    settings.every(({ path, content }) => place.read(path) === content) &&
    variables.every(([name, value]) => isVariable(place, name, value))
  );
}

/** Several tools share this variable: a file of another one will do, if a handshake succeeds with it. */
const trustVariable = 'SSL_CERT_FILE';

function withOwnTrust(plan: Plan, place: Place): Plan {
  const own = plan.env?.[trustVariable] && given(place.env[trustVariable]);
  return own ? { ...plan, trustFile: own } : plan;
}

function isVariable(place: Place, name: string, wanted: string): boolean {
  const value = variable(place, name);
  return name === trustVariable ? value !== undefined : value === wanted;
}

/** Tools take the names of proxies in both cases. */
function variable({ env }: Place, name: string): string | undefined {
  return given(env[name]) ?? (name.endsWith('_PROXY') ? given(env[name.toLowerCase()]) : undefined);
}

function overridden(
  tool: Tool,
  mode: SetupMode,
  plan: Plan,
  place: Place,
  { url, proxyUrl }: GatewayPlace,
): Finding[] {
  return tool.overrides[mode].flatMap((name): Finding[] => {
    const value = given(place.env[name]);
    if (value === undefined || plan.env?.[name] === value) return [];
    if (value.includes(url) || value.includes(proxyUrl) || value === plan.trustFile) return [];
    return [
      {
        code: 'environment',
        severity: 'problem',
        tool: tool.id,
        message: `${name} is in the environment and goes before its files`,
        fix: `unset ${name}`,
      },
    ];
  });
}

function notPointed(
  options: DiagnoseOptions,
  mode: SetupMode,
  last: JournalRecord | undefined,
): Finding {
  const { tool, gateway, named, more } = options;
  const flag = mode === (tool.defaultMode ?? 'registry') ? '' : ` --${mode}`;
  const scope = last?.scope ?? 'user';
  const where = scope === 'project' ? ' --scope project' : '';
  const fix = `millrace setup ${tool.id}${flag}${where}${more}`;
  const severity = named || last ? 'problem' : 'note';
  const common = { tool: tool.id, severity } as const;
  const needed = mode === 'proxy' ? { trust: options.trust ?? anyTrust } : {};
  const plan = attempt(options, { mode, scope, ...needed });
  const isMissing = gateway.mounts.every(({ ecosystem }) => ecosystem !== tool.ecosystem);
  if (mode === 'registry' && isMissing) {
    const fix = 'add one to `mounts` in its configuration (docs/ecosystems.md)';
    const message = `the gateway has no mount for ${tool.ecosystem}`;
    return { ...common, code: 'no-mount', message, fix };
  }
  if ('refused' in plan) {
    return { ...common, code: 'unreadable', message: plan.refused, fix: `mend that, then: ${fix}` };
  }
  const message = last
    ? `it was pointed at ${last.url}, and now is not at ${gateway.url}: ${lacking(plan, options)}`
    : `it is not pointed at ${gateway.url}: ${lacking(plan, options)}`;
  return { ...common, code: last || named ? 'not-pointed' : 'not-set-up', message, fix };
}

/** The first thing that is not as it should be. */
function lacking({ files, env = {} }: Plan, { place, gateway }: DiagnoseOptions): string {
  for (const { path, content, about } of files) {
    if (about !== undefined || typeof content !== 'string') continue;
    const lines = diffLines(place.read(path) ?? '', content).filter((each) => each.startsWith('+'));
    // Where it names the gateway a line says most.
    const line = lines.find((each) => each.includes(new URL(gateway.url).host)) ?? lines[0];
    if (line !== undefined) return `${path} does not say \`${line.slice(1).trim()}\``;
  }
  const missing = Object.entries(env).find(([name, value]) => !isVariable(place, name, value));
  if (missing === undefined) return 'its files are other ones';
  return `the environment does not say ${missing[0]}=${missing[1]}`;
}
