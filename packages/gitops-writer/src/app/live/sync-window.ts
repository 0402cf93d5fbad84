import { Cron } from 'croner';
import type { Application, SyncWindow } from '../../ports.ts';

/**
 * Why a sync window keeps Argo CD from syncing by itself at `now` (ms since the epoch), in a sentence; undefined when none
 * does. Argo CD's rules: an active deny window blocks; so does an allow window that is not active while no other allow
 * window is. Windows that do not concern the Application, and those that cannot be read, count for nothing.
 */
export function blockingWindow(
  application: Application,
  windows: readonly SyncWindow[],
  now: number,
): string | undefined {
  const ours = windows.filter((window) => concerns(window, application) && readable(window));
  const active = ours.filter((window) => isActive(window, now));
  const denying = active.find(({ kind }) => kind === 'deny');
  const { project } = application;
  if (denying !== undefined) return `Sync window of project ${project} denies it now: ${shown(denying)}.`;
  const allowing = ours.find(({ kind }) => kind === 'allow');
  if (allowing === undefined || active.length > 0) return undefined;
  return `It is outside the sync windows of project ${project}, the first of which is ${shown(allowing)}.`;
}

const shown = ({ kind, schedule, duration, timeZone }: SyncWindow): string =>
  `${kind} "${schedule}" for ${duration}${timeZone === undefined ? '' : ` (${timeZone})`}`;

function concerns(window: SyncWindow, { name, destination }: Application): boolean {
  const any = (patterns: readonly string[], ...texts: readonly (string | undefined)[]) =>
    patterns.some((pattern) => texts.some((text) => text !== undefined && glob(pattern).test(text)));
  const lists: ReadonlyArray<readonly [readonly string[], boolean]> = [
    [window.applications, any(window.applications, name)],
    [window.clusters, any(window.clusters, destination.server, destination.name)],
    [window.namespaces, any(window.namespaces, destination.namespace ?? '')],
  ];
  const given = lists.filter(([patterns]) => patterns.length > 0);
  if (window.andOperator) return given.length > 0 && given.every(([, matches]) => matches);
  return given.some(([, matches]) => matches);
}

const WILD: Readonly<Record<string, string>> = { '*': '.*', '?': '.', '{': '(?:', '}': ')', ',': '|' };

/** `*`, `?`, `[…]` and `{a,b}`; a star stands for any text, slashes included. */
function glob(pattern: string): RegExp {
  let depth = 0;
  const source = pattern.replaceAll(/[\\^$.|+()*?{},]/g, (character) => {
    if (character === '{') depth += 1;
    const literal = (character === '}' || character === ',') && depth === 0;
    if (character === '}' && depth > 0) depth -= 1;
    return (literal ? undefined : WILD[character]) ?? `\\${character}`;
  });
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    return /^(?!)/;
  }
}

const readable = (window: SyncWindow): boolean =>
  cronOf(window.schedule) !== undefined && !Number.isNaN(goDurationMs(window.duration));

/**
 * Whether a start lies within the last `duration`. Like Argo CD, on the clock of the wall: the zone's present offset is
 * added, and the schedule read as if it were UTC.
 */
function isActive({ schedule, duration, timeZone }: SyncWindow, now: number): boolean {
  const wall = now + offsetMs(timeZone ?? 'UTC', now);
  const next = cronOf(schedule)?.nextRun(new Date(wall - goDurationMs(duration)));
  return next !== null && next !== undefined && next.getTime() < wall;
}

/** Five fields; `?` is a star and `N/step` runs to the end of the field, as in Argo CD's parser. */
function cronOf(schedule: string): Cron | undefined {
  try {
    return new Cron(schedule.replaceAll('?', '*'), { mode: '5-part', timezone: 'UTC', sloppyRanges: true });
  } catch {
    return undefined;
  }
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of a Go duration such as `1h30m`; NaN when it is none. */
function goDurationMs(text: string): number {
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return Number.NaN;
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)].reduce(
    (sum, [, amount, unit = 's']) => sum + Number(amount) * (UNITS[unit] ?? Number.NaN),
    0,
  );
}

const WALL_CLOCK = {
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
} as const;

/** How far a zone's wall clock is ahead of UTC; 0 for a zone that is not known. */
function offsetMs(timeZone: string, now: number): number {
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...WALL_CLOCK });
    const of = Object.fromEntries(format.formatToParts(now).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = of;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(now / 1000) * 1000;
  } catch {
    return 0;
  }
}
