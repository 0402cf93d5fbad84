import { stringify } from 'yaml';

/** YAML with sorted keys, no folding and no aliases: the same value always gives the same bytes. */
export function toYaml(value: unknown): string {
  return stringify(value, { sortMapEntries: true, lineWidth: 0, aliasDuplicateObjects: false });
}
