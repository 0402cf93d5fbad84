import { gunzipSync } from 'node:zlib';
import {
  type Baseline,
  dayOfId,
  decodeExchanges,
  type Exchange,
  type ExchangeHead,
  FairwayError,
  iso,
  type Logger,
  type Pack,
  type PredictionRecord,
} from '@fairway/core';
import type { EarlyLabel, ExchangeRow, Ledger, PackStore, PredictionRow, Recording, Reference } from '../ports.ts';
import { profileCounts, scoreCounts, scoreOf } from './count.ts';
import { earlyKeys, withEarlyLabels } from './labels-early.ts';
import { storable } from './read-json.ts';
import type { References } from './references.ts';
import type { SplitRecord } from './rows-record.ts';
import { splitExchange } from './split.ts';

export type PackResult = { readonly outcome: 'stored' | 'known' | 'quarantined'; readonly predictions: number };

/** A pack whose rows keep turning up under other packs is given up after this many looks. */
const MAX_OVERLAPS = 5;

type Needs = { readonly store: PackStore; readonly references: References; readonly log: Logger };

/**
 * Records one pack once, however often it is delivered: ledger row, raw exchanges, predictions, profile and score counts,
 * in one transaction. A pack that cannot be read is kept whole in quarantine. Throws retryable errors only.
 */
export async function recordPack({ store, references, log }: Needs, pack: Pack): Promise<PackResult> {
  const decoded = decode(pack);
  if (typeof decoded === 'string') return quarantine(store, log, pack, decoded);
  let exchanges = decoded;
  for (let look = 0; look < MAX_OVERLAPS; look++) {
    const found = await referencesOf(exchanges, references);
    const recording = recordingOf(pack, exchanges, found);
    const outcome = await store.once(recording.ledger, async (transaction) => {
      const early = await transaction.takeEarlyLabels(earlyKeys(recording.predictions));
      await transaction.write(withLabels(recording, early));
    });
    if (outcome === 'stored' || outcome === 'known') {
      return { outcome, predictions: outcome === 'stored' ? recording.predictions.length : 0 };
    }
    if (outcome !== 'overlap') return quarantine(store, log, pack, outcome.poison);
    // Our own ids cannot repeat; if they do (a restored spool, two agents under one name) the first copy stands.
    const known = new Set(await store.known(exchanges.map(({ head }) => head.id)));
    log.warn(
      { pack: pack.packId, repeated: known.size },
      'exchanges of this pack are stored already under another pack',
    );
    exchanges = exchanges.filter(({ head }) => !known.has(head.id));
  }
  throw new FairwayError(
    'database.unavailable',
    `Pack ${pack.packId} keeps colliding with other packs; it will be tried again.`,
  );
}

function decode(pack: Pack): Exchange[] | string {
  try {
    const exchanges = decodeExchanges(gunzipSync(Buffer.from(pack.payload, 'base64')));
    return [...new Map(exchanges.map((exchange) => [exchange.head.id, exchange])).values()];
  } catch (error) {
    return (error as Error).message;
  }
}

async function quarantine(store: PackStore, log: Logger, pack: Pack, reason: string): Promise<PackResult> {
  log.warn({ pack: pack.packId, agent: pack.agent, reason }, 'pack put into quarantine');
  await store.quarantine({ ...ledgerOf(pack, ''), quarantined: pack.exchanges }, pack.payload, reason);
  return { outcome: 'quarantined', predictions: 0 };
}

const referenceKey = (model: string, version: string) => `${model}/${version}`;

async function referencesOf(
  exchanges: readonly Exchange[],
  references: References,
): Promise<ReadonlyMap<string, Reference | undefined>> {
  const found = new Map<string, Reference | undefined>();
  for (const { head } of exchanges) {
    const key = referenceKey(head.model, head.version);
    if (!found.has(key)) found.set(key, await references(head.model, head.version));
  }
  return found;
}

function recordingOf(
  pack: Pack,
  exchanges: readonly Exchange[],
  found: ReadonlyMap<string, Reference | undefined>,
): Recording {
  const records: PredictionRecord[] = [];
  const predictions: PredictionRow[] = [];
  const rows: ExchangeRow[] = [];
  const redacted = new Map<PredictionRecord, readonly string[]>();
  let quarantined = 0;
  for (const exchange of exchanges) {
    const { head } = exchange;
    const reference = found.get(referenceKey(head.model, head.version));
    const split = splitExchange(exchange, reference?.modelVersion);
    const given = 'records' in split ? split.records : [];
    if ('as' in split && split.as === 'quarantined') quarantined += 1;
    rows.push(exchangeRow(exchange, given.length, 'reason' in split ? split.reason : null));
    for (const record of given) {
      records.push(record);
      if (head.redacted) redacted.set(record, head.redacted.variables);
      predictions.push(predictionRow(record, dayOf(head), head.id, reference?.modelVersion.target.probability));
    }
  }
  const model = exchanges[0]?.head.model ?? '';
  const baselineOf = (record: PredictionRecord) =>
    without(redacted.get(record), found.get(referenceKey(record.model, record.version))?.baseline);
  return {
    ledger: { ...ledgerOf(pack, model), stored: predictions.length, quarantined },
    exchanges: rows,
    predictions,
    profile: profileCounts(records, baselineOf),
    scores: scoreCounts(predictions),
  };
}

/** A redacted value is in no bin of the baseline, and not missing either: it is not counted. */
function without(variables: readonly string[] | undefined, baseline: Baseline | undefined): Baseline | undefined {
  if (variables === undefined || baseline === undefined) return baseline;
  return { ...baseline, variables: baseline.variables.filter(({ name }) => !variables.includes(name)) };
}

const ledgerOf = ({ packId, agent, epoch, first, last, exchanges, dropped }: Pack, model: string): Ledger => ({
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

/** The day of the id, else of the business time, else none: PostgreSQL's `infinity`, which retention never reaches. */
function dayOf({ id, time }: ExchangeHead): string {
  const ms = Date.parse(time);
  return dayOfId(id) ?? (Number.isNaN(ms) ? 'infinity' : iso(ms).slice(0, 10));
}

function exchangeRow({ head, request, response }: Exchange, instances: number, reason: string | null): ExchangeRow {
  return {
    day: dayOf(head),
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
    head: storable(JSON.stringify(head)),
    instances,
    reason,
  };
}

function predictionRow(
  record: SplitRecord,
  day: string,
  exchange: string,
  probability: string | undefined,
): PredictionRow {
  return {
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
  };
}

function withLabels(recording: Recording, early: readonly EarlyLabel[]): Recording {
  if (early.length === 0) return recording;
  const predictions = withEarlyLabels(recording.predictions, early);
  return { ...recording, predictions, scores: scoreCounts(predictions) };
}
