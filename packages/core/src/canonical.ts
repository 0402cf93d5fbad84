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
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}

function missing(): never {
  throw new RangeError('undefined has no JSON form');
}
