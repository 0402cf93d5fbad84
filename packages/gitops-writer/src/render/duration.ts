const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** What a duration in model.yaml looks like, e.g. `90d`, `24h`, `15m`, `2s`. */
export const DURATION = /^[1-9]\d{0,4}[smhd]$/;

/** Milliseconds of a text that matches {@link DURATION}. */
export function durationMs(text: string): number {
  return Number(text.slice(0, -1)) * UNIT_MS[text.slice(-1) as keyof typeof UNIT_MS];
}

/** A span in words, in the largest unit that fits, rounded down: `3 days`. */
export function spanInWords(ms: number): string {
  const [unit, length] = SPANS.find(([, span]) => ms >= span) ?? ['second', 1_000];
  const count = Math.max(0, Math.floor(ms / length));
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

const SPANS = [
  ['day', UNIT_MS.d],
  ['hour', UNIT_MS.h],
  ['minute', UNIT_MS.m],
  ['second', UNIT_MS.s],
] as const;
