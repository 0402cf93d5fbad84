import {
  type Baseline,
  dayOfId,
  type ExchangeHead,
  iso,
  type Pack,
  type PredictionRecord,
  type Target,
} from '@fairway/core';
import { type SegmentInput, segmentInputs } from '../metrics/segment-counts.ts';
import type { ExchangeRow, HourOf, Ledger, PredictionRow, Recording, Reference } from '../ports.ts';
import { type Answering, classAnswer, classCounts } from './class-answer.ts';
import { isNumberTarget, profileCounts, scoreCounts, scoreOf, startOfHour } from './count.ts';
import type { Frame, Frames, RefusedFrame } from './frames.ts';
import { storable } from './read-json.ts';
import { segmentCounts, segmentedBy } from './segment-bins.ts';
import type { SplitRecord } from './rows-record.ts';
import { type Forms, learningForms } from './split-forms.ts';
import { splitExchange } from './split.ts';

/** References of the versions of a pack, by {@link referenceKey}. */
export type Found = ReadonlyMap<string, Reference | undefined>;

export const referenceKey = (model: string, version: string) => `${model}/${version}`;

/** Rows and counts of a pack. What cannot even be split for a reason that nobody foresaw is refused, alone. */
export function recordingOf(
  pack: Pack,
  { frames, refused }: Frames,
  found: Found,
  forms: Forms = learningForms(),
): Recording {
  const rows = new Rows(found, forms);
  const unfit: RefusedFrame[] = [...refused];
  for (const frame of frames) {
    try {
      rows.add(frame);
    } catch (error) {
      unfit.push({ position: frame.position, bytes: () => frame.bytes(), reason: (error as Error).message });
    }
  }
  return {
    ledger: {
      ...ledgerOf(pack, frames[0]?.head.model),
      stored: rows.predictions.length,
      quarantined: rows.unreadable + unfit.length,
    },
    payload: pack.payload,
    exchanges: rows.exchanges,
    predictions: rows.predictions,
    refused: unfit.map(({ position, reason, bytes }) => ({ position, reason: storable(reason), frame: bytes() })),
    profile: profileCounts(rows.records, (record) => rows.baselineOf(record)),
    uncounted: uncounted(rows.predictions, found),
    ...countsOf(rows.predictions),
  };
}

/** A version that nobody named never has a reference. */
function uncounted(predictions: readonly PredictionRow[], found: Found): HourOf[] {
  const waits = ({ model, version }: PredictionRow) =>
    version !== '' && found.get(referenceKey(model, version)) === undefined;
  const hours = predictions.filter(waits).map(({ model, version, environment, time }) => {
    const of = { model, version, environment, hour: startOfHour(time) };
    return [JSON.stringify(of), of] as const;
  });
  return [...new Map(hours).values()];
}

const isCountedBeside = ({ classed, segmented }: PredictionRow): boolean =>
  classed !== undefined || segmented !== undefined;

/** Counts that labels move. */
export const countsOf = (predictions: readonly PredictionRow[]): Pick<Recording, 'moved' | 'scores'> => ({
  moved: predictions.some(isCountedBeside) ? [...classCounts(predictions), ...segmentCounts(predictions)] : [],
  scores: scoreCounts(predictions),
});

/** Under the model that the agent serves; where the pack does not say it, under that of its first exchange, `asked`. */
export const ledgerOf = (
  { packId, agent, epoch, model, first, last, exchanges, dropped }: Pack,
  asked: string | undefined,
): Ledger => ({
  packId,
  agent,
  epoch,
  first,
  last,
  exchanges,
  dropped,
  model: model ?? asked ?? '',
  stored: 0,
  quarantined: 0,
});

/** Most exchanges of a pack are of one version: that of the last one is tried first. */
function lookup(found: Found): (model: string, version: string) => Reference | undefined {
  let last: { readonly model: string; readonly version: string; readonly reference: Reference | undefined } | undefined;
  return (model, version) => {
    if (last?.model !== model || last.version !== version) {
      last = { model, version, reference: found.get(referenceKey(model, version)) };
    }
    return last.reference;
  };
}

class Rows {
  readonly exchanges: ExchangeRow[] = [];
  readonly predictions: PredictionRow[] = [];
  readonly records: SplitRecord[] = [];
  /** Answered exchanges that we cannot read. */
  unreadable = 0;
  private readonly reference: (model: string, version: string) => Reference | undefined;
  private readonly redacted = new Map<PredictionRecord, readonly string[]>();
  private readonly forms: Forms;
  private last: { readonly baseline: Baseline; readonly inputs: readonly SegmentInput[] } | undefined;
  private readonly withheld = new Map<string, Baseline | undefined>();

  constructor(found: Found, forms: Forms) {
    this.forms = forms;
    this.reference = lookup(found);
  }

  add(frame: Frame): void {
    const { head } = frame;
    const reference = this.reference(head.model, head.version);
    const split = splitExchange(frame, reference?.modelVersion, this.forms);
    const given = 'records' in split ? split.records : [];
    const day = dayOf(head);
    const target = reference?.modelVersion.target;
    const classification = reference?.baseline.classification;
    const answering = classification && target && { target, classification };
    const segments = reference === undefined ? [] : this.segments(reference.baseline);
    const predictions = given.map((record) => {
      const row = predictionRow(record, day, head.id, target, answering);
      return segments.length === 0 ? row : { ...row, segmented: segmentedBy(record.view.inputs, segments) };
    });
    this.exchanges.push(exchangeRow(frame, day, given.length, 'reason' in split ? split.reason : null));
    for (const prediction of predictions) this.predictions.push(prediction);
    for (const record of given) {
      this.records.push(record);
      if (head.redacted) this.redacted.set(record, head.redacted.variables);
    }
    if ('as' in split && split.as === 'quarantined') this.unreadable += 1;
  }

  private segments(baseline: Baseline): readonly SegmentInput[] {
    if (this.last?.baseline !== baseline) this.last = { baseline, inputs: segmentInputs(baseline) };
    return this.last.inputs;
  }

  /** A redacted value is in no bin of the baseline, and not missing either: it is not counted. */
  baselineOf(record: PredictionRecord): Baseline | undefined {
    const baseline = this.reference(record.model, record.version)?.baseline;
    const variables = this.redacted.size === 0 ? undefined : this.redacted.get(record);
    if (variables === undefined || baseline === undefined) return baseline;
    const each = [referenceKey(record.model, record.version), ...variables].join('\u0001');
    if (!this.withheld.has(each)) {
      const rest = baseline.variables.filter(({ name }) => !variables.includes(name));
      this.withheld.set(each, { ...baseline, variables: rest });
    }
    return this.withheld.get(each);
  }
}

/** The day of the id, else of the business time, else none: PostgreSQL's `infinity`, which retention never reaches. */
function dayOf({ id, time }: ExchangeHead): string {
  const day = dayOfId(id);
  if (day !== undefined) return day;
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? 'infinity' : iso(ms).slice(0, 10);
}

function exchangeRow(frame: Frame, day: string, instances: number, reason: string | null): ExchangeRow {
  const { head } = frame;
  return {
    day,
    id: head.id,
    model: head.model,
    version: head.version,
    versionSource: head.versionSource,
    environment: head.environment,
    time: reason === 'time_unreadable' ? null : head.time,
    status: head.status,
    outcome: head.outcome,
    latencyMs: head.latencyMs,
    correlationId: head.correlationId === undefined ? null : storable(head.correlationId),
    sampling: head.sampling ?? null,
    position: frame.position,
    frame,
    instances,
    reason,
  };
}

function predictionRow(
  record: SplitRecord,
  day: string,
  exchange: string,
  target: Target | undefined,
  answering: Answering | undefined,
): PredictionRow {
  const classed = answering && classAnswer(record.view.outputs, answering);
  return {
    day,
    id: record.id,
    exchange,
    model: record.model,
    version: record.version,
    versionSource: record.versionSource,
    environment: record.environment,
    time: record.time,
    score: classed === undefined ? scoreOf(record.outputs, target) : classed.predicted < 0 ? null : classed.predicted,
    inputs: record.view.inputs,
    outputs: record.view.outputs,
    latencyMs: record.latencyMs,
    status: record.status,
    correlationId: record.correlationId ?? null,
    label: null,
    observedAt: null,
    isNumber: classed === undefined && isNumberTarget(target),
    classed,
    classes: classed === undefined ? undefined : answering?.classification.classes,
  };
}
