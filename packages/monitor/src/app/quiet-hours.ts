/** Hours in which people are not told, each day, by the clock of a time zone. */
export type QuietHours = {
  /** Minutes since midnight. from > to: over midnight. */
  readonly from: number;
  readonly to: number;
  /** IANA name. */
  readonly zone: string;
  /** Events that are told all the same. */
  readonly exempt: readonly string[];
};

const MINUTE_MS = 60_000;
/** A day and a clock change. */
const LONGEST_MINUTES = 26 * 60;

/** When the quiet hours that hold at `now` (ms) end; undefined: they do not hold. Clock changes are those of the zone. */
export function quietUntil(quiet: QuietHours, now: number): number | undefined {
  const minuteAt = localMinute(quiet.zone);
  const holds = (ms: number) => within(quiet, minuteAt(ms));
  if (!holds(now)) return undefined;
  const first = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  for (let minutes = 1; minutes <= LONGEST_MINUTES; minutes += 1) {
    const at = first + minutes * MINUTE_MS;
    if (!holds(at)) return at;
  }
  return undefined;
}

const within = ({ from, to }: QuietHours, minute: number): boolean =>
  from <= to ? minute >= from && minute < to : minute >= from || minute < to;

function localMinute(zone: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return (ms) => {
    const [hour = '0', minute = '0'] = format.format(ms).split(':');
    return Number(hour) * 60 + Number(minute);
  };
}

/** Reads `22:00-07:00`. */
export function parseQuietHours(raw: string): { readonly from: number; readonly to: number } | undefined {
  const [, ...digits] = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/.exec(raw.trim()) ?? [];
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = digits.map(Number);
  const [from, to] = [fromHour * 60 + fromMinute, toHour * 60 + toMinute];
  return digits.length < 4 || from === to ? undefined : { from, to };
}

export function isTimeZone(name: string): boolean {
  try {
    return Intl.DateTimeFormat('en-GB', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
