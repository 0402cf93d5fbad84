import type { Reader } from '@fairway/core';

/** What happens to the values of one variable; `truncate` keeps so many characters. */
export type Action = { readonly kind: 'drop' } | Change;
export type Change = { readonly kind: 'hash' } | { readonly kind: 'truncate'; readonly characters: number };

/** By the variable's name, as the callers write it. */
export type Rules = ReadonlyMap<string, Action>;

/** Then a key is needed. */
export const anyHashed = (rules: Rules): boolean => [...rules.values()].some(({ kind }) => kind === 'hash');

const ACTION = /^(?:(drop|hash)|truncate:([1-9]\d{0,3}))$/;
const FORM =
  'must be a list such as ssn=drop,name=hash,zip=truncate:3, or a JSON object such as {"ssn":"drop"}, with drop, hash or truncate:1 to truncate:9999';

/** Reads `name=action,…` or a JSON object; names that hold commas or equals signs need the object. */
export const readRules: Reader<Rules> = (raw) => {
  if (raw === undefined) return { value: new Map() };
  const pairs = raw.trimStart().startsWith('{') ? fromJson(raw) : fromList(raw);
  const rules = new Map<string, Action>();
  for (const [name, text] of pairs ?? [['', '']]) {
    const action = readAction(text);
    if (name === '' || action === undefined) return { problem: FORM };
    // Two rules for one variable: which of them protects it would be a guess.
    if (rules.has(name)) return { problem: `names ${JSON.stringify(name)} twice: give each variable one action` };
    rules.set(name, action);
  }
  return { value: rules };
};

function fromList(raw: string): Array<[string, string]> {
  return raw.split(',').map((item) => {
    const at = item.lastIndexOf('=');
    return [item.slice(0, Math.max(at, 0)).trim(), item.slice(at + 1).trim()];
  });
}

function fromJson(raw: string): Array<[string, unknown]> | undefined {
  try {
    return Object.entries(JSON.parse(raw) as object);
  } catch {
    return undefined;
  }
}

function readAction(text: unknown): Action | undefined {
  const match = typeof text === 'string' ? ACTION.exec(text) : null;
  if (!match) return undefined;
  if (match[2] !== undefined) return { kind: 'truncate', characters: Number(match[2]) };
  return match[1] === 'drop' ? { kind: 'drop' } : { kind: 'hash' };
}
