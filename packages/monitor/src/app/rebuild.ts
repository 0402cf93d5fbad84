import { FairwayError, type Pack, type ProfileCount } from '@fairway/core';
import { segmentInputs } from '../metrics/segment-counts.ts';
import type { HourOf, PredictionRow, Reference, ScoreCount } from '../ports.ts';
import { isNumberTarget, scoreCounts } from './count.ts';
import type { Frame } from './frames.ts';
import { countsOf, recordingOf, referenceKey } from './recording.ts';
import type { References } from './references.ts';

export type Hour = HourOf & {
  /** Predictions of it were recorded before their reference was known: without scores, and counts that rest on it. */
  readonly isUncounted: boolean;
};

type Labelled = Parameters<typeof scoreCounts>[0][number];

/** One hour as it is in one moment: rows and counts fit together. Rows come in batches of bounded size. */
export type HourView = {
  exchanges(): AsyncIterable<readonly Frame[]>;
  labelled(): AsyncIterable<readonly Labelled[]>;
  /** Labels of these predictions, by id. */
  truths(of: ReadonlyArray<Pick<PredictionRow, 'day' | 'id'>>): Promise<ReadonlyMap<string, number>>;
  stored(): Promise<{ readonly profile: readonly ProfileCount[]; readonly scores: readonly ScoreCount[] }>;
};

export type Span = 'hour' | 'day' | 'month';

/** The counts of an hour, a day or a month in one row: what a window is read from. Times are RFC 3339 UTC. */
export type PackedCounts = Omit<HourOf, 'hour'> & { readonly span: Span; readonly start: string; readonly end: string };

export type RebuildStore = {
  /** Runs `work` while no other rebuild does; throws `input.invalid` when one runs. */
  alone<T>(work: (session: RebuildSession) => Promise<T>): Promise<T>;
};

export type RebuildSession = {
  /** Hours with rows or counts in `[from, to)`, oldest first. */
  hours(bounds: Bounds): Promise<readonly Hour[]>;
  view<T>(hour: HourOf, work: (view: HourView) => Promise<T>): Promise<T>;
  /** Adds to the counts of one hour, in one transaction; a count may be negative. */
  add(profile: readonly ProfileCount[], scores: readonly ScoreCount[]): Promise<void>;
  /** Runs `work` while no label is booked; then the hour counts as counted, unless a pack has marked it again. */
  settle<T>(hour: HourOf, work: (steady: SteadySession) => Promise<T>): Promise<T>;
  /** Packed counts within the bounds, oldest first. */
  packed(bounds: Bounds): Promise<readonly PackedCounts[]>;
  /** Predictions in packed counts, and in the counts that they were made from, where these are not the same. */
  packedDifference(packed: PackedCounts): Promise<{ readonly stored: number; readonly rows: number } | undefined>;
  /** Has packed counts made again. */
  unpack(packed: PackedCounts): Promise<void>;
};

/** No label moves counts by the score of a row meanwhile. */
export type SteadySession = Pick<RebuildSession, 'view' | 'add'> & {
  /** Gives rows the score that they lack. */
  fill(rows: ReadonlyArray<Pick<PredictionRow, 'day' | 'id' | 'score'>>): Promise<void>;
};

type Bounds = { readonly model: string; readonly from: string; readonly to: string };

/** A cell whose count is not what the rows give. `stored`: null where there is none at all. */
export type Difference =
  | { readonly variable: string; readonly bin: number; readonly stored: number | null; readonly rows: number }
  | { readonly score: number; readonly label: number; readonly stored: number | null; readonly rows: number }
  /** Of packed counts: predictions in them, and in the counts that they were made from; any cell may be the one that differs. */
  | { readonly packed: Span; readonly stored: number; readonly rows: number };

/** `kept`: why the counts of the hour were neither compared nor mended. */
export type HourReport = HourOf & {
  readonly rows: number;
  readonly differences: readonly Difference[];
  readonly mended: boolean;
  readonly kept?: string;
};

type Needs = { readonly store: RebuildStore; readonly references: References };
export type RebuildAsked = {
  readonly model: string;
  readonly from: string;
  readonly to: string;
  /** Look only. */
  readonly verify: boolean;
};

/**
 * Counts every hour again from its rows, by the code of the recorder, and tells of each hour what differs. Unless `verify`,
 * the differences are added to the counts: additions commute, so packs, labels and folds go on meanwhile. Then packed counts are
 * held against the counts that they were made from, and those that differ are made again.
 */
export function rebuild({ store, references }: Needs, asked: RebuildAsked, tell: (report: HourReport) => void) {
  return store.alone(async (session) => {
    for (const { isUncounted, ...hour } of await session.hours(asked)) {
      const reference = await references(hour.model, hour.version);
      const again = (by: Pick<RebuildSession, 'view' | 'add'>) => mend(by, hour, reference, asked.verify);
      const found =
        isUncounted && reference !== undefined && !asked.verify
          ? await session.settle(hour, async (steady) => {
              await fillScores(steady, hour, reference);
              return again(steady);
            })
          : await again(session);
      tell({ ...hour, ...found });
    }
    await repack(session, asked, tell);
  });
}

async function mend(
  session: Pick<RebuildSession, 'view' | 'add'>,
  hour: HourOf,
  reference: Reference | undefined,
  verify: boolean,
): Promise<Omit<HourReport, keyof HourOf>> {
  const { profile, scores, ...report } = await session.view(hour, (rows) => compare(hour, rows, reference));
  const mended = !verify && report.differences.length > 0;
  if (mended) await session.add(profile, scores);
  return { ...report, mended };
}

/** Labels move counts by the stored score, so it has to be there before they are counted again. */
const fillScores = (steady: SteadySession, hour: HourOf, reference: Reference): Promise<void> =>
  steady.view(hour, async (rows) => {
    const found = new Map([[referenceKey(hour.model, hour.version), reference]]);
    for await (const frames of rows.exchanges()) {
      const { predictions } = recordingOf(NO_PACK, { frames, refused: [] }, found);
      await steady.fill(predictions.filter(({ score }) => score !== null));
    }
  });

async function repack(session: RebuildSession, asked: RebuildAsked, tell: (report: HourReport) => void): Promise<void> {
  for (const packed of await session.packed(asked)) {
    const found = await session.packedDifference(packed);
    if (found === undefined) continue;
    if (!asked.verify) await session.unpack(packed);
    const { span, start: hour, end: _, ...owner } = packed;
    tell({ ...owner, hour, rows: 0, differences: [{ packed: span, ...found }], mended: !asked.verify });
  }
}

type Comparison = Pick<HourReport, 'rows' | 'differences' | 'kept'> & {
  readonly profile: readonly ProfileCount[];
  readonly scores: readonly ScoreCount[];
};

async function compare(hour: HourOf, view: HourView, reference: Reference | undefined): Promise<Comparison> {
  const isNumber = isNumberTarget(reference?.modelVersion.target);
  const found = new Map([[referenceKey(hour.model, hour.version), reference]]);
  const baseline = reference?.baseline;
  const classed = baseline?.classification;
  const moves = classed !== undefined || (baseline !== undefined && segmentInputs(baseline).length > 0);
  const [profile, scores] = [new Cells<ProfileCount>(profileKey), new Cells<ScoreCount>(scoreKey)];
  let [split, rows] = [0, 0];
  for await (const frames of view.exchanges()) {
    const { predictions, ...recording } = recordingOf(NO_PACK, { frames, refused: [] }, found);
    split += predictions.length;
    profile.add(recording.profile);
    if (moves) {
      const truths = await view.truths(predictions);
      profile.add(countsOf(predictions.map((row) => ({ ...row, label: truths.get(row.id) ?? null }))).moved);
    }
  }
  for await (const batch of view.labelled()) {
    rows += batch.length;
    scores.add(scoreCounts(batch.map((row) => ({ ...row, isNumber, classed }))));
  }
  if (rows === 0) return keptAs(rows, 'its rows are gone (retention), so nothing can be counted again');
  if (split !== rows) return keptAs(rows, `its exchanges give ${split} rows today, and ${rows} are stored`);
  const stored = await view.stored();
  const [inputs, classes] = [profile.against(stored.profile), scores.against(stored.scores)];
  return {
    rows,
    differences: [
      ...inputs.map(({ cell: { variable, bin }, ...counts }) => ({ variable, bin, ...counts })),
      ...classes.map(({ cell: { bin, label }, ...counts }) => ({ score: bin, label, ...counts })),
    ],
    profile: inputs.map(missingCount),
    scores: classes.map(missingCount),
  };
}

const keptAs = (rows: number, kept: string): Comparison => ({ rows, kept, differences: [], profile: [], scores: [] });

type Compared<T> = { readonly cell: T; readonly stored: number | null; readonly rows: number };

const missingCount = <T extends { readonly count: number }>({ cell, stored, rows }: Compared<T>): T => ({
  ...cell,
  count: rows - (stored ?? 0),
});

const profileKey = ({ variable, bin }: ProfileCount): string => `${bin}\u0001${variable}`;
const scoreKey = ({ bin, label }: ScoreCount): string => `${bin}\u0001${label}`;

/** Counts of one hour, added up. */
class Cells<T extends { readonly count: number }> {
  private readonly cells = new Map<string, T>();
  private readonly key: (cell: T) => string;

  constructor(key: (cell: T) => string) {
    this.key = key;
  }

  add(counts: readonly T[]): void {
    for (const cell of counts) {
      const key = this.key(cell);
      const known = this.cells.get(key);
      this.cells.set(key, known === undefined ? cell : { ...cell, count: known.count + cell.count });
    }
  }

  /** Cells where `stored` holds another count, or, of a count of 0 that says something, none. */
  against(stored: readonly T[]): Array<Compared<T>> {
    const before = new Map(stored.map((cell) => [this.key(cell), cell]));
    const all = new Map([...before, ...this.cells]);
    return [...all]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, cell]) => ({
        cell,
        stored: before.get(key)?.count ?? null,
        rows: this.cells.get(key)?.count ?? 0,
      }))
      .filter((each) => each.stored !== each.rows);
  }
}

/** Rows are counted as the rows of a pack; here they come from none. */
const NO_PACK: Pack = {
  v: 1,
  packId: '',
  agent: '',
  epoch: '',
  first: 0,
  last: 0,
  exchanges: 0,
  payload: '',
  dropped: {},
};

/** Bounds of a rebuild as they were asked for; what is older than `oldest` has no rows any more. */
export function rebuildBounds(
  asked: { readonly from: string | undefined; readonly to: string | undefined },
  { oldest, now }: { readonly oldest: string; readonly now: string },
): { readonly from: string; readonly to: string } {
  const [from, to] = [hourOf('from', asked.from ?? oldest), hourOf('to', asked.to ?? '9999-12-31T23:00:00.000Z')];
  if (from >= to) throw new FairwayError('input.invalid', `from (${from}) must be before to (${to}).`);
  if (from < hourOf('from', oldest)) {
    throw new FairwayError(
      'input.invalid',
      `Rows from before ${oldest} are given up by RETENTION_DAYS (it is ${now} now), so their counts cannot be made again: choose a later from.`,
    );
  }
  return { from, to };
}

function hourOf(name: string, text: string): string {
  const ms = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new FairwayError('input.invalid', `${name} must be a day or RFC 3339 time such as 2026-11-22T08:00:00Z.`);
  }
  const hour = new Date(ms);
  hour.setUTCMinutes(0, 0, 0);
  return hour.toISOString();
}
