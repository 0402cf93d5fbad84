import { asFairwayError, FairwayError, type Part, pause, redact } from '@fairway/core';
import type { Attended, Champion, HookClaim, HookDelivery, Inbox, Repository } from '../ports.ts';
import type { ModelFile } from '../render/model-file.ts';
import { FRESH_MS, modelNames, readModelFile } from './catalogue.ts';
import { contradictions, registryName } from './champions-decision.ts';
import { type ChampionContext, look, type Look } from './champions-look.ts';
import { retryDelay } from './retry.ts';

export type InboxContext = ChampionContext & {
  readonly inbox: Inbox;
  /** How long a registry may take to say what a hook of it has claimed, ms. */
  readonly patienceMs: number;
};

const IDLE_MS = 1_000;
const PARALLEL = 4;
/**
 * What a killed writer had in hand waits for so long. A look may take longer: then another one takes the delivery, finds that
 * somebody looks, and comes again; only the last one's word counts.
 */
const LEASE_MS = 20_000;
const BUSY_MS = 500;
/** A registry that is away for so long has been asked by the poll a thousand times since. */
const GIVE_UP_MS = 24 * 3_600_000;

/** Attends to hooks that were taken. Any number of replicas do it; each hook is one's at a time. */
export function inboxWorker(context: InboxContext): Part {
  const { inbox, log } = context;
  const stopping = new AbortController();
  let loops: Promise<unknown> | undefined;
  const once = async (): Promise<boolean> => {
    try {
      const taken = await inbox.take(LEASE_MS);
      if (taken === undefined) return false;
      const outcome = await attend(taken, context);
      await inbox.settle(taken, outcome);
      log.info({ delivery: taken.id, state: outcome.state, reason: outcome.reason }, 'a hook was attended to');
      return true;
    } catch (error) {
      log.warn({ reason: redact((error as Error).message) }, 'the inbox of hooks cannot be worked on');
      return false;
    }
  };
  const run = async () => {
    while (!stopping.signal.aborted) if (!(await once())) await pause(IDLE_MS, stopping.signal);
  };
  return {
    name: 'hook inbox',
    start: () => {
      loops = Promise.all(Array.from({ length: PARALLEL }, run));
    },
    stop: async () => {
      stopping.abort();
      await loops;
    },
  };
}

type Taken = HookDelivery & { readonly ageMs: number };

/** What becomes of a hook: the registry is asked, by the same look as the poll's, and what was claimed is held against it. */
export async function attend(taken: Taken, context: InboxContext): Promise<Attended> {
  const { claim } = taken;
  if (!/^approved?$/i.test(claim.decision)) {
    return { state: 'done', reason: `The decision is ${JSON.stringify(claim.decision)}, so there is nothing to do.` };
  }
  try {
    const models = await meant(claim, context);
    if (models.length === 0) return { state: 'failed', reason: nobody(claim) };
    const looks: Look[] = [];
    for (const { name } of models) looks.push(await look(name, context, claim));
    return judge(looks, taken, context);
  } catch (error) {
    return later(taken, redact(asFairwayError(error).message));
  }
}

/** A delivery and what the looks at the models it may be about have found. */
function judge(looks: readonly Look[], taken: Taken, { patienceMs }: InboxContext): Attended {
  const { claim } = taken;
  const champions = looks.filter((one) => one.kind === 'champion');
  const fits = champions.find(({ champion }) => contradictions(claim, champion).length === 0);
  if (fits !== undefined) {
    const { outcome, change } = fits.settled;
    const reason = `${registryName(claim.registry)} confirms it. ${outcome}`;
    return { state: 'done', reason, ...(change === undefined ? {} : { change }) };
  }
  if (looks.some(({ kind }) => kind === 'busy')) return { state: 'received', reason: 'Others look.', delayMs: BUSY_MS };
  const away = looks.find((one) => one.kind === 'unreadable');
  if (away !== undefined) return later(taken, redact(away.error.message));
  if (claimsNothing(claim)) return { state: 'done', reason: 'The registry was asked; it names no champion.' };
  const reason = unconfirmed(claim, champions);
  if (taken.ageMs >= patienceMs) return { state: 'unverified', reason };
  return { state: 'received', reason, delayMs: Math.min(60_000, patienceMs, 1_000 * 2 ** Math.min(taken.attempts, 6)) };
}

/** The hook says only that something has happened to a model: then a look is all it wants. */
const claimsNothing = ({ names }: HookClaim): boolean =>
  Object.keys(names).every((name) => ['model', 'name', 'alias'].includes(name));

function unconfirmed(claim: HookClaim, champions: ReadonlyArray<{ readonly champion: Champion }>): string {
  const differs = champions.map(({ champion }) => contradictions(claim, champion).join(', '));
  const what = differs.length === 0 ? 'it names no champion' : differs.join('; ');
  return `${registryName(claim.registry)} does not say what the hook claims: ${what}. Nothing was made of the claim.`;
}

function later(taken: Taken, reason: string): Attended {
  if (taken.ageMs >= GIVE_UP_MS) return { state: 'failed', reason: `${reason} Given up after a day.` };
  return { state: 'received', reason, delayMs: retryDelay('registry.unavailable', taken.attempts) ?? BUSY_MS };
}

const nobody = ({ registry, names }: HookClaim): string => {
  const said = Object.entries(names).map(([name, value]) => `${name} ${value}`);
  return `No model.yaml has source.registry ${registry} with source.approves and fits ${said.join(', ')}; add it to the GitOps repository, or correct the hook.`;
};

/** Models whose champion counts, and that the claim may be about. */
async function meant(claim: HookClaim, { repository, book }: InboxContext): Promise<ModelFile[]> {
  const known = new Map((await book.list()).map(({ model, champion }) => [model, champion?.names]));
  const files = await approving(repository, claim);
  return files.filter((file) => mayMean(file, claim, known.get(file.name)));
}

function mayMean({ name, source }: ModelFile, { names }: HookClaim, known: Champion['names']): boolean {
  switch (source.registry) {
    case 'directory':
      return names['model'] === name;
    case 'mlflow':
      return names['name'] === source.name && (names['alias'] ?? source.alias) === source.alias;
    default: {
      // A project that is named by its name has an id that only SAS knows: it counts until it is known to be another one.
      const projectId = source.projectId ?? known?.['projectId'];
      return projectId === undefined || projectId.toLowerCase() === names['projectId']?.toLowerCase();
    }
  }
}

async function approving(repository: Repository, { registry, names }: HookClaim): Promise<ModelFile[]> {
  const head = await repository.head(FRESH_MS);
  const { model } = names;
  const files: ModelFile[] = [];
  for (const name of model === undefined ? await modelNames(repository, head) : [model]) {
    const file = await readModelFile(repository, head, name).catch(unusable);
    if (file?.approves !== undefined && file.source.registry === registry) files.push(file);
  }
  return files;
}

/** One model.yaml that nobody can read says nothing about another model's hook. */
function unusable(error: unknown): undefined {
  if (error instanceof FairwayError && ['model.invalid', 'model.unknown', 'input.invalid'].includes(error.code)) return;
  throw error;
}
