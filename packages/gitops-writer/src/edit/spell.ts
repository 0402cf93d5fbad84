import { parse } from 'yaml';

export type ScalarValue = string | number | boolean;
/** What a list item may be made of. */
export type ItemValue = ScalarValue | Readonly<Record<string, ScalarValue>>;

const PLAIN = /^[\w./+][\w./@:+-]*(?: [\w./@:+-]+)*$/;

/** A scalar as YAML that means the same in block and in flow style: plain where that is safe, else in double quotes. */
export function spell(value: ScalarValue): string {
  if (typeof value !== 'string') return String(value);
  return PLAIN.test(value) && !value.includes(': ') && !value.endsWith(':') && parse(value) === value
    ? value
    : doubleQuoted(value);
}

/** JSON is YAML but for what JSON leaves unescaped. */
export const doubleQuoted = (value: string): string =>
  JSON.stringify(value).replaceAll(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

export const singleQuoted = (value: string): string => `'${value.replaceAll("'", "''")}'`;

/** An item on one line. */
export function spellFlow(value: ItemValue): string {
  if (typeof value !== 'object') return spell(value);
  return `{ ${Object.entries(value)
    .map(([key, item]) => `${spell(key)}: ${spell(item)}`)
    .join(', ')} }`;
}

/** An item below a dash: one line for each key. */
export const spellBlock = (value: ItemValue): string[] =>
  typeof value === 'object'
    ? Object.entries(value).map(([key, item]) => `${spell(key)}: ${spell(item)}`)
    : [spell(value)];
