import { refuse } from '../../web/http.ts';
import type { Call, Reply } from '../../web/router.ts';

/** A request body's fields. Go reads JSON names in any case, so `Do`, `do`, `MergeTitleField` and `merge_title_field` are one. */
export type Fields = {
  text(name: string): string | undefined;
  required(name: string): string;
  flag(name: string): boolean;
  list(name: string): readonly unknown[];
  object(name: string): Fields;
};

const JSON_LIMIT = 8 * 1024 * 1024;

export async function readFields(call: Call): Promise<Fields> {
  const raw = (await call.body()).toString('utf8');
  let value: unknown;
  try {
    value = raw === '' ? {} : JSON.parse(raw);
  } catch {
    refuse(422, 'The request body is not JSON.');
  }
  return fields(value);
}

export const BODY_LIMIT = JSON_LIMIT;

function fields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse(422, 'The request body must be a JSON object.');
  }
  const plain = (name: string) => name.replaceAll('_', '').toLowerCase();
  const known = new Map(Object.entries(value).map(([name, item]) => [plain(name), item as unknown]));
  const get = <T>(name: string, is: (item: unknown) => item is T, kind: string): T | undefined => {
    const item = known.get(plain(name));
    if (item === undefined || item === null) return undefined;
    return is(item) ? item : refuse(422, `[${name}]: must be ${kind}`);
  };
  const text = (name: string) => get(name, (item) => typeof item === 'string', 'a string');
  return {
    text,
    required: (name) => text(name) || refuse(422, `[${name}]: Required`),
    flag: (name) => get(name, (item) => typeof item === 'boolean', 'true or false') ?? false,
    list: (name) => get(name, (item): item is unknown[] => Array.isArray(item), 'a list') ?? [],
    object: (name) => fields(get(name, (item) => typeof item === 'object', 'an object') ?? {}),
  };
}

/** Gitea's defaults: 30 a page, never more than 50. */
export function paged<T>(call: Call, all: readonly T[]): { items: readonly T[]; headers: Record<string, string> } {
  const number = (name: string, fallback: number) => Math.trunc(Number(call.query.get(name))) || fallback;
  const limit = Math.min(50, Math.max(1, number('limit', 30)));
  const start = (Math.max(1, number('page', 1)) - 1) * limit;
  return { items: all.slice(start, start + limit), headers: { 'x-total-count': String(all.length) } };
}

export const empty = (status: number): Reply => ({ status });
