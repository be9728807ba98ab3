import { isList, isSetting, type Setting, type SettingGroup } from './setting.ts';

/** Columns of a line, as the formatter is set. */
const lineWidth = 100;

type Json = Readonly<Record<string, unknown>>;

/** The JSON Schema (2020-12) of a configuration file, for editors. */
export function jsonSchema(group: SettingGroup): Json {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Millrace configuration',
    ...groupSchema(group),
  };
}

/** The same as text, indented, as `config/millrace.schema.json` holds it. */
export function jsonSchemaText(group: SettingGroup): string {
  const text = JSON.stringify(jsonSchema(group), null, 2);
  // Lists of words on one line where they fit, as the formatter wants them.
  const words = (list: string, at: number): string => {
    const line = list.replace(/\n\s*/g, ' ').replace('[ ', '[').replace(/ \]$/, ']');
    const column = at - text.lastIndexOf('\n', at) - 1;
    return column + line.length + 1 > lineWidth ? list : line;
  };
  return `${text.replace(/\[\n[^[\]{}]*\]/g, words)}\n`;
}

function groupSchema(group: SettingGroup): Json {
  const properties: Record<string, Json> = {};
  const required: string[] = [];
  for (const [key, node] of Object.entries(group)) {
    if (isSetting(node)) {
      properties[key] = settingSchema(node);
      if (node.required) required.push(key);
    } else if (isList(node)) {
      properties[key] = {
        type: 'array',
        description: node.doc,
        ...(node.minimum > 0 ? { minItems: node.minimum } : {}),
        items: groupSchema(node.fields),
      };
      if (node.minimum > 0) required.push(key);
    } else {
      properties[key] = groupSchema(node);
    }
  }
  return {
    type: 'object',
    properties,
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
  };
}

function settingSchema(setting: Setting<unknown>): Json {
  return {
    ...setting.type.json,
    description: setting.doc,
    ...(setting.default === undefined ? {} : { default: setting.default }),
  };
}
