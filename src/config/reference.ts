import {
  environmentName,
  isList,
  isSetting,
  type Setting,
  type SettingGroup,
  type SettingList,
} from './setting.ts';

/** The Markdown table of all settings, one line each, fields of lists included. */
export function referenceTable(group: SettingGroup): string {
  const head = [
    '| setting | type | default | variable, flag | on SIGHUP | meaning |',
    '|---|---|---|---|---|---|',
  ];
  return `${[...head, ...rows(group, '', true, true)].join('\n')}\n`;
}

function* rows(
  group: SettingGroup,
  prefix: string,
  outside: boolean,
  reloadable: boolean,
): Generator<string> {
  for (const [key, node] of Object.entries(group)) {
    const path = prefix + key;
    if (isSetting(node)) yield row(path, node, outside, reloadable);
    else if (isList(node)) {
      yield listRow(path, node, outside);
      yield* rows(node.fields, `${path}[].`, false, node.reloadable);
    } else yield* rows(node, `${path}.`, outside, reloadable);
  }
}

function row(
  path: string,
  setting: Setting<unknown>,
  outside: boolean,
  inherited: boolean,
): string {
  const { type, doc, flag } = setting;
  const ways = [
    outside ? `\`${environmentName(path)}\`` : '',
    flag === undefined ? '' : `\`${flag}\``,
  ];
  return line([
    `\`${path}\``,
    setting.secret ? `${type.name}, secret` : type.name,
    fallback(setting),
    ways.filter((way) => way !== '').join(', '),
    inherited && setting.reloadable ? 'yes' : 'restart',
    doc,
  ]);
}

function listRow(path: string, list: SettingList<SettingGroup>, outside: boolean): string {
  const absence = list.minimum > 0 ? 'required' : '';
  const reload = list.reloadable ? 'yes' : 'restart';
  return line([`\`${path}\``, 'list', absence, outside ? 'file only' : '', reload, list.doc]);
}

function fallback(setting: Setting<unknown>): string {
  if (setting.required) return 'required';
  if (setting.default === undefined) return setting.defaultNote ?? '';
  const text = Array.isArray(setting.default)
    ? `[${setting.default.join(', ')}]`
    : String(setting.default);
  return `\`${text}\``;
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
