import { stringify } from 'yaml';
import { plainYaml } from './plain-yaml.ts';

/** YAML with sorted keys, no folding and no aliases: the same value always gives the same bytes. */
export function toYaml(value: unknown): string {
  return plainYaml(value) ?? stringify(value, { sortMapEntries: true, lineWidth: 0, aliasDuplicateObjects: false });
}
