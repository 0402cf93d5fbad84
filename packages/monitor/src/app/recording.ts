import { type Baseline, dayOfId, iso, type Pack, type PredictionRecord } from '@fairway/core';
import type { ExchangeRow, Ledger, PredictionRow, Recording, Reference } from '../ports.ts';
import { profileCounts, scoreCounts, scoreOf } from './count.ts';
import type { Frame, Frames, RefusedFrame } from './frames.ts';
import { storable } from './read-json.ts';
import type { SplitRecord } from './rows-record.ts';
import { splitExchange } from './split.ts';

/** References of the versions of a pack, by {@link referenceKey}. */
export type Found = ReadonlyMap<string, Reference | undefined>;

export const referenceKey = (model: string, version: string) => `${model}/${version}`;

/** Rows and counts of a pack. What cannot even be split for a reason that nobody foresaw is refused, alone. */
export function recordingOf(pack: Pack, { frames, refused }: Frames, found: Found): Recording {
  const rows = new Rows(found);
  const unfit: RefusedFrame[] = [...refused];
  for (const frame of frames) {
    try {
      rows.add(frame);
    } catch (error) {
      unfit.push({ position: frame.position, bytes: frame.bytes, reason: (error as Error).message });
    }
  }
  const model = frames[0]?.exchange.head.model ?? '';
  return {
    ledger: {
      ...ledgerOf(pack, model),
      stored: rows.predictions.length,
      quarantined: rows.unreadable + unfit.length,
    },
    exchanges: rows.exchanges,
    predictions: rows.predictions,
    refused: unfit.map(({ position, reason, bytes }) => ({ position, reason: storable(reason), frame: bytes() })),
    profile: profileCounts(rows.records, (record) => rows.baselineOf(record)),
    scores: scoreCounts(rows.predictions),
  };
}

export const ledgerOf = ({ packId, agent, epoch, first, last, exchanges, dropped }: Pack, model: string): Ledger => ({
  packId,
  agent,
  epoch,
  first,
  last,
  exchanges,
  dropped,
  model,
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
  private readonly withheld = new Map<string, Baseline | undefined>();

  constructor(found: Found) {
    this.reference = lookup(found);
  }

  add(frame: Frame): void {
    const { head } = frame.exchange;
    const reference = this.reference(head.model, head.version);
    const split = splitExchange(frame.exchange, reference?.modelVersion);
    const given = 'records' in split ? split.records : [];
    const day = dayOf(head);
    const probability = reference?.modelVersion.target.probability;
    const predictions = given.map((record) => predictionRow(record, day, head.id, probability));
    this.exchanges.push(exchangeRow(frame, day, given.length, 'reason' in split ? split.reason : null));
    for (const prediction of predictions) this.predictions.push(prediction);
    for (const record of given) {
      this.records.push(record);
      if (head.redacted) this.redacted.set(record, head.redacted.variables);
    }
    if ('as' in split && split.as === 'quarantined') this.unreadable += 1;
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
function dayOf({ id, time }: Frame['exchange']['head']): string {
  const day = dayOfId(id);
  if (day !== undefined) return day;
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? 'infinity' : iso(ms).slice(0, 10);
}

function exchangeRow(frame: Frame, day: string, instances: number, reason: string | null): ExchangeRow {
  const { head, request, response } = frame.exchange;
  return {
    day,
    id: head.id,
    model: head.model,
    version: head.version,
    environment: head.environment,
    time: reason === 'time_unreadable' ? null : head.time,
    status: head.status,
    outcome: head.outcome,
    latencyMs: head.latencyMs,
    correlationId: head.correlationId === undefined ? null : storable(head.correlationId),
    request,
    response,
    head: frame.head,
    instances,
    reason,
  };
}

const predictionRow = (
  record: SplitRecord,
  day: string,
  exchange: string,
  probability: string | undefined,
): PredictionRow => ({
  day,
  id: record.id,
  exchange,
  model: record.model,
  version: record.version,
  versionSource: record.versionSource,
  environment: record.environment,
  time: record.time,
  score: scoreOf(record.outputs, probability),
  inputs: record.view.inputs,
  outputs: record.view.outputs,
  latencyMs: record.latencyMs,
  status: record.status,
  correlationId: record.correlationId ?? null,
  label: -1,
  observedAt: null,
});
