import { stringify } from 'yaml';

/** Without these a text is plain whatever stands around it: no indicator of YAML, and no number. */
const PLAIN = /^[A-Za-z/][\w./@+-]*(?::[\w./@+-]+)*$/;
/** What YAML 1.2 does not read as a string, in any spelling that starts like one of them. */
const WORD = /^(?:true|false|null)$/i;
const LONGEST_KEY = 500;

/**
 * The bytes of `stringify` for what manifests are made of, ten times as fast: plain objects and lists of texts in one line, whole
 * numbers, truth values and null. undefined for anything else, which is for `stringify` itself.
 */
export function plainYaml(value: unknown): string | undefined {
  const text = block(value, '');
  return text === undefined ? undefined : `${text}\n`;
}

/** A value from where it stands; the lines that follow begin with `indent`. */
function block(value: unknown, indent: string): string | undefined {
  if (Array.isArray(value)) return list(value, indent);
  return typeof value === 'object' && value !== null ? map(value, indent) : scalar(value);
}

function list(items: readonly unknown[], indent: string): string | undefined {
  if (items.length === 0) return '[]';
  const lines: string[] = [];
  for (const item of items) {
    const text = block(item, `${indent}  `);
    if (text === undefined) return undefined;
    lines.push(`- ${text}`);
  }
  return lines.join(`\n${indent}`);
}

function map(object: object, indent: string): string | undefined {
  if (Object.getPrototypeOf(object) !== Object.prototype || 'toJSON' in object) return undefined;
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  if (entries.length === 0) return '{}';
  const lines: string[] = [];
  for (const [key, value] of entries.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const name = key === '' || key.length > LONGEST_KEY ? undefined : scalar(key);
    const text = block(value, `${indent}  `);
    if (name === undefined || text === undefined) return undefined;
    lines.push(isNested(value) ? `${name}:\n${indent}  ${text}` : `${name}: ${text}`);
  }
  return lines.join(`\n${indent}`);
}

/** Empty ones stand in the line of their key. */
const isNested = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.values(value).some((one) => one !== undefined);

function scalar(value: unknown): string | undefined {
  if (typeof value === 'string') return text(value);
  if (value === null || typeof value === 'boolean') return String(value);
  return typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : undefined;
}

/** Most texts that need quotes are the same in every change. */
const QUOTED = new Map<string, string>();
const MOST_QUOTED = 500;
const LONGEST_QUOTED = 200;

function text(value: string): string | undefined {
  if (PLAIN.test(value) && !WORD.test(value)) return value;
  if (value.includes('\n')) return undefined;
  const alone = QUOTED.get(value) ?? stringify(value, { lineWidth: 0 }).slice(0, -1);
  if (value.length <= LONGEST_QUOTED && QUOTED.size < MOST_QUOTED) QUOTED.set(value, alone);
  return alone.includes('\n') ? undefined : alone;
}
