import { isDeepStrictEqual } from 'node:util';
import { isRecord } from '../objects.ts';
import { mergeKey } from './merge.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * Fields of an object as paths; a path is its elements in the words of `FieldsV1` (`f:spec`, `k:{"name":"a"}`, `.` for an item
 * itself), joined by a line break, which no element can hold unescaped.
 */
export type FieldSet = ReadonlySet<string>;

const joined = (path: readonly string[]): string => path.join('\n');
const elements = (path: string): string[] => path.split('\n');

/** How lists are looked at: `keyed` where the kind's schema says which lists merge by key, as whole values elsewhere. */
export type Lists = 'keyed' | 'whole';

/** Every leaf of `value`: what a manager owns who has set it. */
export function fieldsOf(value: unknown, lists: Lists, path: readonly string[] = []): Set<string> {
  if (isRecord(value) && Object.keys(value).length > 0) {
    const inside = Object.entries(value).map(([name, one]) => fieldsOf(one, lists, [...path, `f:${name}`]));
    return new Set(inside.flatMap((set) => [...set]));
  }
  const key = Array.isArray(value) ? keyOf(value, lists, path) : undefined;
  if (key === undefined) return new Set(path.length === 0 ? [] : [joined(path)]);
  const items = (value as Fields[]).map((item) => {
    const at = [...path, element(key, item)];
    return [joined([...at, '.']), ...fieldsOf(item, lists, at)];
  });
  return new Set(items.flat());
}

const keyOf = (list: readonly unknown[], lists: Lists, path: readonly string[]): string | undefined =>
  lists === 'whole' || list.length === 0 ? undefined : mergeKey(path.at(-1)?.slice(2) ?? '', [list]);

const element = (key: string, item: Fields): string => `k:${JSON.stringify({ [key]: item[key] })}`;

/** What is at a path; undefined where nothing is. */
export function valueAt(object: unknown, path: string): unknown {
  let value = object;
  for (const part of elements(path)) {
    if (part === '.') return value;
    value = part.startsWith('k:') ? itemOf(value, part) : isRecord(value) ? value[part.slice(2)] : undefined;
  }
  return value;
}

function itemOf(list: unknown, part: string): unknown {
  const wanted = JSON.parse(part.slice(2)) as Fields;
  if (!Array.isArray(list)) return undefined;
  return (list as unknown[]).find(
    (item) => isRecord(item) && Object.entries(wanted).every(([key, value]) => isDeepStrictEqual(item[key], value)),
  );
}

/** The object without what is at a path; parents that become empty stay. */
export function without<T>(object: T, path: string): T {
  const [part = '', ...rest] = elements(path);
  const more = joined(rest);
  if (part.startsWith('k:')) {
    const item = itemOf(object, part);
    const list = object as unknown[];
    if (item === undefined) return object;
    return (
      rest[0] === '.'
        ? list.filter((one) => one !== item)
        : list.map((one) => (one === item ? without(one, more) : one))
    ) as T;
  }
  const name = part.slice(2);
  if (!isRecord(object) || !Object.hasOwn(object, name)) return object;
  if (rest.length > 0) return { ...object, [name]: without(object[name], more) };
  const { [name]: _gone, ...kept } = object;
  return kept as T;
}

/** The path as the API prints it: `.spec.containers[name="a"].image`. */
export const spoken = (path: string): string =>
  elements(path)
    .filter((part) => part !== '.')
    .map((part) => {
      if (!part.startsWith('k:')) return `.${part.slice(2)}`;
      const entries = Object.entries(JSON.parse(part.slice(2)) as Fields);
      return `[${entries.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`;
    })
    .join('');

type Tree = { [part: string]: Tree };

/** A set as `fieldsV1`. */
export function toFieldsV1(set: FieldSet): Tree {
  const root: Tree = {};
  for (const path of [...set].sort()) {
    let at = root;
    for (const part of elements(path)) at = at[part] ??= {};
  }
  return root;
}

/** `fieldsV1` as a set. */
export function fromFieldsV1(tree: unknown, path: readonly string[] = []): Set<string> {
  const entries = Object.entries(isRecord(tree) ? tree : {});
  if (entries.length === 0) return new Set(path.length === 0 ? [] : [joined(path)]);
  return new Set(entries.flatMap(([part, inside]) => [...fromFieldsV1(inside, [...path, part])]));
}
