import { FairwayError, type Logger, type Pack } from '@fairway/core';
import type { EarlyLabel, PackStore, Poison, Recording } from '../ports.ts';
import { type Frame, type Frames, readFrames } from './frames.ts';
import { earlyKeys, withEarlyLabels } from './labels-early.ts';
import { type Learnt, learnt } from './learnt.ts';
import { countsOf, type Found, ledgerOf, recordingOf, referenceKey } from './recording.ts';
import type { References } from './references.ts';

export type PackResult = { readonly outcome: 'stored' | 'known' | 'quarantined'; readonly predictions: number };

/** A pack whose rows keep turning up under other packs is given up after this many looks. */
const MAX_OVERLAPS = 5;
/** Rows that PostgreSQL names one by one; from then on halves are tried. */
const MAX_NAMED = 8;
/** So often halves are tried; what is still untried then is refused. A pack of 500 with one bad row needs 20. */
const MAX_TRIES = 100;

/** `known`: what packs before this one have taught. */
type Needs = {
  readonly store: PackStore;
  readonly references: References;
  readonly log: Logger;
  readonly known?: Learnt;
};

/**
 * Records one pack once, however often it is delivered: ledger row, raw exchanges, predictions, profile and score counts,
 * in one transaction. An exchange that PostgreSQL refuses is kept as bytes in quarantine and the rest is stored; a pack that
 * cannot be read at all is kept whole. Throws retryable errors only.
 */
export async function recordPack({ store, references, log, known = learnt() }: Needs, pack: Pack): Promise<PackResult> {
  let frames: Frames;
  try {
    frames = await readFrames(pack, known.readHead);
  } catch (error) {
    return quarantine(store, log, pack, (error as Error).message);
  }
  const found = await referencesOf(frames.frames, references);
  let [overlaps, named] = [0, 0];
  for (;;) {
    const recording = recordingOf(pack, frames, found, known.forms);
    await store.prepare(recording.exchanges.map(({ day }) => day));
    const outcome = await write(store, log, recording);
    if (outcome === 'stored' || outcome === 'known') {
      if (outcome === 'stored') tellRefused(log, pack, recording);
      return { outcome, predictions: outcome === 'stored' ? recording.predictions.length : 0 };
    }
    if (outcome !== 'overlap') {
      // Nothing is left that could be taken out: it is the pack itself.
      if (frames.frames.length === 0) return quarantine(store, log, pack, outcome.poison);
      const frame = named++ < MAX_NAMED ? namedFrame(outcome, frames) : undefined;
      frames = frame
        ? without(frames, [frame], outcome.poison)
        : await bisect({ store, log, pack, found }, frames, outcome);
      continue;
    }
    if (overlaps++ === MAX_OVERLAPS) throw colliding(pack);
    frames = await unknownOnly(store, log, pack, frames, recording);
  }
}

const write = (store: PackStore, log: Logger, recording: Recording, trial = false) =>
  store.once(
    recording.ledger,
    async (transaction) => {
      const early = trial ? [] : await transaction.takeEarlyLabels(() => earlyKeys(recording.predictions));
      const labelled = withLabels(recording, early);
      tellUnfit(log, labelled, early);
      await transaction.write(labelled);
    },
    trial,
  );

const colliding = ({ packId }: Pack) =>
  new FairwayError('database.unavailable', `Pack ${packId} keeps colliding with other packs; it will be tried again.`);

/** Our own ids cannot repeat; if they do (a restored spool, two agents under one name) the first copy stands. */
async function unknownOnly(
  store: PackStore,
  log: Logger,
  pack: Pack,
  { frames, refused }: Frames,
  { exchanges }: Recording,
): Promise<Frames> {
  const known = new Set(await store.known(exchanges));
  log.warn({ pack: pack.packId, repeated: known.size }, 'exchanges of this pack are stored already under another pack');
  return { frames: frames.filter(({ head }) => !known.has(head.id)), refused };
}

/** The exchange that PostgreSQL has named. */
const namedFrame = ({ exchange: id }: Poison, { frames }: Frames): Frame | undefined =>
  frames.find(({ head }) => head.id === id);

function without({ frames, refused }: Frames, bad: readonly Frame[], reason: string): Frames {
  return {
    frames: frames.filter((frame) => !bad.includes(frame)),
    refused: [...refused, ...bad.map((frame) => ({ position: frame.position, bytes: () => frame.bytes(), reason }))],
  };
}

type Trial = { readonly store: PackStore; readonly log: Logger; readonly pack: Pack; readonly found: Found };

/** Tries halves, each in a transaction that is taken back, until the bad exchanges stand alone. */
async function bisect({ store, log, pack, found }: Trial, all: Frames, { poison }: Poison): Promise<Frames> {
  const bad: Frame[] = [];
  let tries = 0;
  const look = async (frames: readonly Frame[]): Promise<void> => {
    if (frames.length === 0) return;
    if (tries++ < MAX_TRIES) {
      const outcome = await write(store, log, recordingOf(pack, { frames, refused: [] }, found), true);
      if (typeof outcome === 'string') return;
      if (frames.length > 1) {
        const half = frames.length >> 1;
        await look(frames.slice(0, half));
        return look(frames.slice(half));
      }
    }
    bad.push(...frames);
  };
  await look(all.frames);
  // Halves that are stored one by one, and not together: nothing that more tries would tell.
  return without(all, bad.length === 0 ? all.frames : bad, poison);
}

function tellRefused(log: Logger, pack: Pack, { refused }: Recording): void {
  if (refused.length === 0) return;
  const [first] = refused;
  log.warn({ pack: pack.packId, exchanges: refused.length, reason: first?.reason }, 'exchanges put into quarantine');
}

async function quarantine(store: PackStore, log: Logger, pack: Pack, reason: string): Promise<PackResult> {
  log.warn({ pack: pack.packId, agent: pack.agent, reason }, 'pack put into quarantine');
  await store.quarantine({ ...ledgerOf(pack, undefined), quarantined: pack.exchanges }, pack.payload, reason);
  return { outcome: 'quarantined', predictions: 0 };
}

async function referencesOf(frames: readonly Frame[], references: References): Promise<Found> {
  const found: Map<string, Awaited<ReturnType<References>>> = new Map();
  let last: Frame['head'] | undefined;
  for (const { head } of frames) {
    const { model, version } = head;
    if (last?.model === model && last.version === version) continue;
    last = head;
    const key = referenceKey(model, version);
    if (!found.has(key)) found.set(key, await references(model, version));
  }
  return found;
}

/** Labels that waited without anybody knowing for which model, and that the model of their prediction cannot have. */
function tellUnfit(log: Logger, { ledger, predictions }: Recording, early: readonly EarlyLabel[]): void {
  if (early.length === 0) return;
  const unlabelled = predictions.filter(({ label }) => label === null);
  const left = new Set(unlabelled.flatMap(({ id, exchange, correlationId }) => [id, exchange, correlationId]));
  const unfit = early.filter(({ key }) => left.has(key));
  if (unfit.length === 0) return;
  const [first] = unfit;
  log.warn(
    { pack: ledger.packId, labels: unfit.length, key: first?.key },
    'waiting labels given up: not of this model',
  );
}

function withLabels(recording: Recording, early: readonly EarlyLabel[]): Recording {
  if (early.length === 0) return recording;
  const predictions = withEarlyLabels(recording.predictions, early);
  return { ...recording, predictions, ...countsOf(predictions) };
}
