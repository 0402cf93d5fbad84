import { isRecord } from '../objects.ts';

type Fields = Readonly<Record<string, unknown>>;

/** RFC 7386: null removes, objects merge, everything else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const out: Record<string, unknown> = { ...(isRecord(target) ? target : {}) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key];
    else setOwn(out, key, mergePatch(out[key], value));
  }
  return out;
}

/** `__proto__` as a key must become data, never the prototype. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

/** Merge keys of the lists that Kubernetes merges by key; any other list is replaced as a whole. */
const MERGE_KEYS: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  env: ['name'],
  volumes: ['name'],
  volumeMounts: ['mountPath'],
  ports: ['containerPort', 'port'],
  imagePullSecrets: ['name'],
  secrets: ['name'],
  conditions: ['type'],
  ownerReferences: ['uid'],
  webhooks: ['name'],
};

/** The key by which a list under this field merges, judged by its items (`ports` differ between pods and services). */
export function mergeKey(field: string, lists: readonly (readonly unknown[])[]): string | undefined {
  return MERGE_KEYS[field]?.find((key) => lists.every((items) => items.every((item) => isRecord(item) && key in item)));
}

/** Strategic merge patch: as {@link mergePatch}, but known lists merge by key, and `$patch` and `$setElementOrder` are understood. */
export function strategicMerge(target: unknown, patch: unknown, field = ''): unknown {
  if (Array.isArray(patch)) return mergeLists(Array.isArray(target) ? target : [], patch, field);
  if (!isRecord(patch)) return patch;
  if (patch['$patch'] === 'replace') return withoutDirectives(patch);
  const out: Record<string, unknown> = { ...(isRecord(target) ? target : {}) };
  const retain = patch['$retainKeys'];
  if (Array.isArray(retain)) for (const key of Object.keys(out)) if (!retain.includes(key)) delete out[key];
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$deleteFromPrimitiveList/')) {
      const name = key.slice('$deleteFromPrimitiveList/'.length);
      out[name] = ((out[name] ?? []) as unknown[]).filter((item) => !(value as unknown[]).includes(item));
    } else if (key.startsWith('$')) continue;
    else if (value === null) delete out[key];
    else setOwn(out, key, strategicMerge(out[key], value, key));
  }
  return out;
}

const withoutDirectives = (value: Fields): Fields =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('$')));

function mergeLists(target: readonly unknown[], patch: readonly unknown[], field: string): unknown[] {
  if (field === 'finalizers') return [...new Set([...target, ...patch])];
  const items = patch.filter((item) => !(isRecord(item) && item['$patch'] === 'replace'));
  const key = items.length < patch.length ? undefined : mergeKey(field, [target, patch]);
  if (key === undefined) return items;
  const out = [...target] as Fields[];
  for (const item of items as Fields[]) {
    const at = out.findIndex((known) => known[key] === item[key]);
    if (item['$patch'] === 'delete') out.splice(at, at < 0 ? 0 : 1);
    else if (at < 0) out.push(strategicMerge({}, item) as Fields);
    else out[at] = strategicMerge(out[at], item) as Fields;
  }
  return out;
}

/**
 * What `kubectl apply` makes of an object: `desired` laid over `live`; what `original` (the last applied) had and
 * `desired` has not is removed; what others added stays.
 */
export function threeWayMerge(original: unknown, desired: unknown, live: unknown, field = ''): unknown {
  if (isRecord(desired)) {
    const before: Fields = isRecord(original) ? original : {};
    const out: Record<string, unknown> = { ...(isRecord(live) ? live : {}) };
    for (const key of Object.keys(before)) if (!(key in desired)) delete out[key];
    for (const [key, value] of Object.entries(desired))
      setOwn(out, key, threeWayMerge(before[key], value, out[key], key));
    return out;
  }
  if (!Array.isArray(desired)) return desired;
  const before = Array.isArray(original) ? original : [];
  const now = Array.isArray(live) ? live : [];
  const key = mergeKey(field, [before, desired, now]);
  if (key === undefined) return desired;
  const same = (items: readonly unknown[], item: unknown) =>
    items.find((other) => (other as Fields)[key] === (item as Fields)[key]);
  // The order of the manifest first, as kubectl's $setElementOrder does; what others added follows.
  const wanted = desired.map((item) => threeWayMerge(same(before, item), item, same(now, item)));
  return [...wanted, ...now.filter((item) => !same(desired, item) && !same(before, item))];
}
