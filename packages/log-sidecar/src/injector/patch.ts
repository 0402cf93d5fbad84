/** The operations of RFC 6902 that the injector needs. */
export type Operation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/**
 * The operations that turn `before` into `after`, in an order that depends on nothing but the two. Lists are compared item by
 * item: what the injector does to lists is to change items in place and to append.
 */
export function diff(before: unknown, after: unknown, path = ''): Operation[] {
  if (before === after) return [];
  if (Array.isArray(before) && Array.isArray(after)) return diffLists(before, after, path);
  if (isRecord(before) && isRecord(after)) return diffRecords(before, after, path);
  return [{ op: 'replace', path, value: after }];
}

function diffLists(before: readonly unknown[], after: readonly unknown[], path: string): Operation[] {
  const shared = Math.min(before.length, after.length);
  const changed = after.slice(0, shared).flatMap((item, index) => diff(before[index], item, `${path}/${index}`));
  const added = after
    .slice(shared)
    .map((value, index): Operation => ({ op: 'add', path: `${path}/${shared + index}`, value }));
  // From the end, so that each index is still the right one when its turn comes.
  const removed = before
    .slice(shared)
    .map((_, index): Operation => ({ op: 'remove', path: `${path}/${before.length - 1 - index}` }));
  return [...changed, ...added, ...removed];
}

type Fields = Readonly<Record<string, unknown>>;

function diffRecords(before: Fields, after: Fields, path: string): Operation[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys.flatMap((key): Operation[] => {
    const at = `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const [had, has] = [holds(before, key), holds(after, key)];
    if (had && has) return diff(before[key], after[key], at);
    if (has) return [{ op: 'add', path: at, value: after[key] }];
    return had ? [{ op: 'remove', path: at }] : [];
  });
}

const holds = (fields: Fields, key: string): boolean => Object.hasOwn(fields, key) && fields[key] !== undefined;

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
