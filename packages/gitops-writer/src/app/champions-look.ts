import { asFairwayError, type Clock, FairwayError, iso, type Logger, redact } from '@fairway/core';
import type { Notice } from '../change.ts';
import type {
  Accepted,
  Champion,
  ChampionBook,
  ChampionOutcome,
  Exclusive,
  HookClaim,
  IntakeMetrics,
  LoadedVersion,
  ModelReference,
  Outgoing,
  SeenChampion,
} from '../ports.ts';
import type { ModelFile } from '../render/model-file.ts';
import { chainAt, FRESH_MS, readModelFile } from './catalogue.ts';
import { approvalOf, contradictions } from './champions-decision.ts';
import { withdrawnNotice } from './champions-notice.ts';
import { answerTo, CHAMPION, deployOf, type IntakeContext, rejectedOf } from './intake.ts';
import { heldBack } from './quarantine.ts';
import { everyReason } from './reasons.ts';

export type ChampionContext = IntakeContext & {
  readonly book: ChampionBook;
  readonly exclusive: Exclusive;
  readonly announce: (model: string, key: readonly string[], notice: Notice) => readonly Outgoing[];
  readonly metrics: IntakeMetrics;
  readonly log: Logger;
  /** Called with changes that are new. */
  readonly enqueue: (ids: readonly string[]) => Promise<void>;
};

/** What a look found. `unwatched`: model.yaml does not make an approval of its champion. */
export type Look =
  | { readonly kind: 'busy' | 'unwatched' | 'none' }
  | { readonly kind: 'unreadable'; readonly error: FairwayError }
  | { readonly kind: 'champion'; readonly champion: Champion; readonly settled: ChampionOutcome };

/**
 * Looks at a model's champion and makes an approval of one that is new: the one way there, for polls, hints and hooks. Only one
 * process looks at a model at a time: what was read before another's decision must not pass for a newer one.
 */
export async function look(model: string, context: ChampionContext, claim?: HookClaim): Promise<Look> {
  const turn = `champion ${model}`;
  if (!(await context.exclusive.take(turn))) return { kind: 'busy' };
  try {
    const head = await context.repository.head(FRESH_MS);
    const file = await readModelFile(context.repository, head, model);
    if (file.approves === undefined) return { kind: 'unwatched' };
    return await lookAt(
      { file, environment: file.approves, head, before: await remembered(file, context) },
      context,
      claim,
    );
  } finally {
    await context.exclusive.drop(turn);
  }
}

type Subject = {
  readonly file: ModelFile;
  readonly environment: string;
  readonly head: string;
  readonly before: SeenChampion | undefined;
};

/** What was seen of another registry, or counts for another environment, says nothing. */
async function remembered({ name, source, approves }: ModelFile, { book }: ChampionContext) {
  const seen = await book.read(name);
  return seen?.registry === source.registry && seen.environment === approves ? seen : undefined;
}

async function lookAt(subject: Subject, context: ChampionContext, claim: HookClaim | undefined): Promise<Look> {
  const { file, before } = subject;
  let champion: Champion | undefined;
  try {
    champion = await context.source.champion(referenceOf(file));
  } catch (error) {
    return unreadable(subject, asFairwayError(error), context);
  }
  if (before?.problem !== undefined) context.log.info({ model: file.name }, 'the registry can be read again');
  if (champion === undefined) return none(subject, context);
  const { settled } = before ?? {};
  if (settled !== undefined && before?.champion?.fingerprint === champion.fingerprint) {
    const { problem: _, ...rest } = before;
    await context.book.write({ ...rest, champion, lookedAt: now(context) }, []);
    return found('same', subject, context, { champion, settled });
  }
  return decide(subject, champion, context, claim);
}

const referenceOf = ({ name, source }: ModelFile): ModelReference => ({ model: name, source });
const now = ({ clock }: { readonly clock: Clock }): string => iso(clock.now());

function found(
  result: string,
  { file }: Subject,
  { metrics }: ChampionContext,
  what: { readonly champion: Champion; readonly settled: ChampionOutcome },
): Look {
  metrics.championLooked(file.source.registry, result);
  return { kind: 'champion', ...what };
}

const subjectOf = ({ file, environment }: Subject) => ({
  model: file.name,
  registry: file.source.registry,
  environment,
});

/** Told once, however often it is asked again. */
async function unreadable(
  subject: Subject,
  error: FairwayError,
  context: ChampionContext,
  champion?: Champion,
): Promise<Look> {
  const { file, before } = subject;
  const [at, reason] = [now(context), redact(everyReason(error))];
  const fields = { model: file.name, registry: file.source.registry, reason };
  if (before?.problem?.reason === reason) context.log.debug(fields, 'the champion still cannot be read');
  else context.log.warn(fields, 'the champion of a model cannot be read');
  context.metrics.championLooked(file.source.registry, 'unreadable');
  const problem = { reason, since: before?.problem?.since ?? at };
  const known: SeenChampion = before ?? { ...subjectOf(subject), since: at, lookedAt: at };
  const { settled: _, ...open } = known;
  // What is to be made of a new champion is decided once it can be loaded.
  const kept = champion === undefined ? known : { ...open, champion };
  await context.book.write({ ...kept, problem, lookedAt: at }, []);
  return { kind: 'unreadable', error };
}

/** Nobody is taken out of an environment because a registry is silent about him: people are told, once. */
async function none(subject: Subject, context: ChampionContext): Promise<Look> {
  const { file, environment, before } = subject;
  const at = now(context);
  const left = before?.champion;
  const gone = left === undefined ? before?.withdrawn : { version: left.version, at };
  const since = left === undefined ? (before?.since ?? at) : at;
  const withdrawn = gone === undefined ? {} : { withdrawn: gone };
  const seen = { ...subjectOf(subject), since, lookedAt: at, ...withdrawn };
  if (left === undefined) await context.book.write(seen, []);
  else {
    const notice = withdrawnNotice({ model: file.name, environment, registry: file.source.registry }, left);
    context.log.info({ model: file.name, version: left.version }, 'a champion was withdrawn');
    await context.book.write(seen, context.announce(file.name, [left.fingerprint, before?.since ?? at], notice));
  }
  context.metrics.championLooked(file.source.registry, left === undefined ? 'none' : 'withdrawn');
  return { kind: 'none' };
}

async function decide(
  subject: Subject,
  champion: Champion,
  context: ChampionContext,
  claim: HookClaim | undefined,
): Promise<Look> {
  const { file, environment } = subject;
  const { event, change } = await eventOf(subject, champion, context);
  if (change !== undefined) return settle(subject, champion, { change, outcome: DECIDED }, context);
  const loaded = await load(file, champion.version, context);
  if (loaded instanceof FairwayError && !isVerdict(loaded)) return unreadable(subject, loaded, context, champion);
  const at = now(context);
  const fits = claim !== undefined && contradictions(claim, champion).length === 0;
  const { registry } = file.source;
  const told = { event, model: file.name, environment, registry, champion, at, claim: fits ? claim : undefined };
  const known = loaded instanceof FairwayError ? undefined : loaded;
  const approval = { ...approvalOf(told), ...answerTo([champion.answerTo, known], context) };
  const reason = loaded instanceof FairwayError ? everyReason(loaded) : await objection(loaded, context);
  const digest = known?.modelVersion.digest;
  const via = fits ? claim.via : undefined;
  if (reason !== undefined) {
    const accepted = await context.intake.reject(rejectedOf(approval, { digest, reason: redact(reason) }, at, via));
    return settle(subject, champion, outcomeOf(accepted, 'It was rejected.'), context, 'rejected');
  }
  if (known === undefined) throw new TypeError('a version that was neither loaded nor refused');
  if (await isThere(subject, known, context)) return settle(subject, champion, { outcome: THERE }, context, 'there');
  const accepted = await context.intake.acceptApproval(deployOf(approval, known, at, via), known);
  if (accepted.created) await context.enqueue([accepted.change.id]);
  return settle(subject, champion, outcomeOf(accepted, 'It was taken as an approval.'), context, 'approved');
}

const DECIDED = 'It was decided before.';
const THERE = 'These bytes are on the default branch for this environment already, and nothing else is under way.';

const outcomeOf = ({ change }: Accepted, outcome: string): ChampionOutcome => ({ change: change.id, outcome });

async function settle(
  subject: Subject,
  champion: Champion,
  settled: ChampionOutcome,
  context: ChampionContext,
  result = 'same',
): Promise<Look> {
  const { before } = subject;
  const at = now(context);
  const same = before?.champion?.fingerprint === champion.fingerprint;
  const since = same ? before.since : at;
  await context.book.write({ ...subjectOf(subject), champion, since, settled, lookedAt: at }, []);
  const { model, registry } = subjectOf(subject);
  const { version } = champion;
  if (result !== 'same') context.log.info({ model, registry, version, ...settled }, 'a new champion');
  return found(result, subject, context, { champion, settled });
}

/**
 * The event of this champion, and the change it has led to already. A champion that comes back after another one, or after it was
 * withdrawn, is a new decision about the same bytes, so its event gets a number.
 */
async function eventOf(
  { file, environment, before }: Subject,
  { fingerprint }: Champion,
  { book, intake }: ChampionContext,
): Promise<{ readonly event: string; readonly change?: string }> {
  const base = `${CHAMPION}${file.source.registry}:${file.name}:${fingerprint}`;
  const newest = await book.decided(file.name, environment, CHAMPION);
  const isSame = newest?.event === base || newest?.event.startsWith(`${base}#`) === true;
  const gone = before?.withdrawn?.at;
  if (newest !== undefined && isSame && (gone === undefined || newest.at > gone)) return newest;
  for (let turn = 1; ; turn += 1) {
    const event = turn === 1 ? base : `${base}#${turn}`;
    if ((await intake.byEvent('deploy', event)) === undefined) return { event };
  }
}

/** Reasons that lie in the version itself: asking again would find the same. */
const isVerdict = ({ code }: FairwayError): boolean => code === 'model.invalid' || code === 'model.changed';

async function load(file: ModelFile, version: string, { source }: ChampionContext) {
  try {
    return await source.load(referenceOf(file), version);
  } catch (error) {
    return asFairwayError(error);
  }
}

/** Why these bytes are held back, by the newest state. */
async function objection({ modelVersion }: LoadedVersion, context: ChampionContext): Promise<string | undefined> {
  return heldBack(modelVersion, context, await context.repository.head(0));
}

async function isThere(
  { file, environment }: Subject,
  { modelVersion }: LoadedVersion,
  { repository, changes }: ChampionContext,
): Promise<boolean> {
  const chain = await chainAt(repository, await repository.head(0), { model: file.name, environment });
  if (chain?.digest !== modelVersion.digest) return false;
  return (await changes.open(file.name, environment, 'deploy')).length === 0;
}
