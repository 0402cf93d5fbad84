export type Version = { readonly major: number; readonly minor: number };

/** `1.29`, `v1.28.3+k3s1`, or what an API server says of itself (`{"major":"1","minor":"28+"}`); undefined: neither. */
export function parseVersion(said: unknown): Version | undefined {
  const text = typeof said === 'string' ? said : numbered(said);
  const [, major, minor] = /^v?(\d{1,3})\.(\d{1,4})(?![\d])/.exec(text.trim()) ?? [];
  return major === undefined || minor === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}

function numbered(said: unknown): string {
  if (typeof said !== 'object' || said === null) return '';
  const { major, minor } = said as { major?: unknown; minor?: unknown };
  return typeof major === 'string' && typeof minor === 'string' ? `${major}.${minor}` : '';
}
