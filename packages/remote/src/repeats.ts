/** Answers that pass: too many requests, and a server behind a gateway that is away for a moment. */
export const isPassing = (status: number): boolean => [429, 502, 503, 504].includes(status);

const FIRST_MS = 200;
const FACTOR = 4;

/** Pauses between `tries` tries, ms. */
export const pauses = (tries: number): number[] =>
  Array.from({ length: Math.max(0, tries - 1) }, (_, n) => FIRST_MS * FACTOR ** n);

/** `Retry-After` in seconds (RFC 9110, 10.2.3), as ms; a date is not believed, clocks differ. */
export function askedPause(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header.trim()) ? Number(header) * 1_000 : undefined;
}
