import { z } from 'zod';
import { isList, isSetting, type SettingGroup } from './setting.ts';

/**
 * The zod schema of a tree of declarations as it stands in a file: unknown keys are refused, what is
 * not required may be absent, and values come out converted. Defaults are not filled in.
 */
export function fileSchema(group: SettingGroup): z.ZodType {
  const shape: Record<string, z.ZodType> = {};
  for (const [key, node] of Object.entries(group)) {
    if (isSetting(node)) {
      shape[key] = node.required ? node.type.schema : node.type.schema.optional();
    } else if (isList(node)) {
      const list = z.array(fileSchema(node.fields)).min(node.minimum);
      shape[key] = node.minimum > 0 ? list : list.optional();
    } else {
      shape[key] = fileSchema(node).optional();
    }
  }
  return z.strictObject(shape);
}
