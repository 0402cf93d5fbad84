/**
 * JSON with sorted keys and no insignificant white space: the same value always gives the same bytes.
 * Throws on NaN, infinities and undefined array items, which JSON cannot hold faithfully.
 */
export function canonicalJson(value: unknown, indent = 0): string {
  return JSON.stringify(sorted(value), undefined, indent);
}

function sorted(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError(`${value} has no JSON form`);
  if (Array.isArray(value)) return value.map((item) => (item === undefined ? missing() : sorted(item)));
  if (value === null || typeof value !== 'object') return value;
  // Without a prototype, so that `__proto__` is a key like any other.
  const made = Object.create(null) as Record<string, unknown>;
  for (const key of Object.keys(value).sort()) {
    const item = (value as Record<string, unknown>)[key];
    if (item !== undefined) made[key] = sorted(item);
  }
  return made;
}

function missing(): never {
  throw new RangeError('undefined has no JSON form');
}
