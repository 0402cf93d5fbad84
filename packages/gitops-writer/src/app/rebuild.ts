import { type Change, type Clock, iso, type Logger, type Phase } from '@fairway/core';
import type { ChangeRestorer, Forge, ForgePullRequest, Restoration, RestoredChange } from '../ports.ts';
import { type QuarantineEntry, parseQuarantine } from '../render/quarantine.ts';
import { environmentFolder, quarantinePath, retrainFolder } from '../render/paths.ts';
import { chainAt } from './catalogue.ts';
import { type GitAndForge, tell, type Told } from './told.ts';

export type RebuildContext = GitAndForge & {
  readonly forge: Forge;
  readonly restorer: ChangeRestorer;
  readonly clock: Clock;
  readonly log: Logger;
};

export type RebuildReport = {
  readonly restored: number;
  readonly skipped: ReadonlyArray<{ readonly branch: string; readonly reason: string }>;
};

/**
 * Brings back from Git and the forge what the database held of every change that has a pull request. Twice is once: what
 * is there stays. Nothing is invented: a change whose approval the bytes do not prove is left out and told with the
 * reason, and what was live before is proven anew by the steps.
 */
export async function rebuild(context: RebuildContext): Promise<RebuildReport> {
  const head = await context.repository.head(0);
  const told: Told[] = [];
  const skipped: Array<{ branch: string; reason: string }> = [];
  for (const pull of await pullRequests(context.forge)) {
    const answer = await tell(pull, context, head);
    if ('reason' in answer) skipped.push({ branch: pull.branch, reason: answer.reason });
    else told.push(answer);
  }
  told.sort((a, b) => (a.about.createdAt < b.about.createdAt ? -1 : 1));
  const world = await worldOf(told, context, head);
  const changes = told.map((one) => restoredChange(one, phaseOf(one, world), iso(context.clock.now())));
  const results = await context.restorer.restore(changes);
  for (const [index, result] of results.entries()) {
    if (result === 'late') skipped.push({ branch: changes[index]?.change.branch ?? '', reason: LATE });
  }
  const restored = results.filter((result: Restoration) => result === 'restored').length;
  context.log.info({ restored, skipped: skipped.length }, 'changes were rebuilt from Git and the forge');
  return { restored, skipped };
}

const LATE = 'The database knows younger changes of the same model and environment, which must stay the newest.';

/** One for each branch: the open one, else the merged one, else the newest. */
async function pullRequests(forge: Forge): Promise<ForgePullRequest[]> {
  const rank = { open: 2, merged: 1, closed: 0 };
  const best = new Map<string, ForgePullRequest>();
  for await (const pull of forge.list('fairway/')) {
    const known = best.get(pull.branch);
    if (known === undefined || rank[pull.state] >= rank[known.state]) best.set(pull.branch, pull);
  }
  return [...best.values()].sort((a, b) => a.number - b.number);
}

/** What the default branch says now. */
type World = {
  readonly told: readonly Told[];
  /** Environment folder → change that it names. */
  readonly carriers: ReadonlyMap<string, string | undefined>;
  readonly quarantine: ReadonlyMap<string, readonly QuarantineEntry[]>;
  /** Retrain folders that are still there. */
  readonly retrainings: ReadonlySet<string>;
};

async function worldOf(told: readonly Told[], { repository }: RebuildContext, head: string): Promise<World> {
  const carriers = new Map<string, string | undefined>();
  const quarantine = new Map<string, readonly QuarantineEntry[]>();
  const retrainings = new Set<string>();
  for (const { key } of told) {
    const { model, environment } = key;
    const folder = environmentFolder(model, environment);
    if (!carriers.has(folder)) carriers.set(folder, (await chainAt(repository, head, key))?.change);
    if (!quarantine.has(model)) {
      quarantine.set(model, entriesOf(model, (await repository.read(head, quarantinePath(model)))?.text));
    }
    const training = retrainFolder(model, key.id);
    if (key.kind === 'retrain' && (await repository.read(head, `${training}/job.yaml`)) !== undefined)
      retrainings.add(training);
  }
  return { told, carriers, quarantine, retrainings };
}

/** A file that people have broken says nothing here; the steps wait until it is mended. */
function entriesOf(model: string, text: string | undefined): readonly QuarantineEntry[] {
  try {
    return parseQuarantine(model, text);
  } catch {
    return [];
  }
}

type Phased = { readonly phase: Phase; readonly reason: string };

/** The phase from which the steps go on, or the end that Git and the forge tell of. */
function phaseOf(one: Told, world: World): Phased {
  const { pull, key } = one;
  if (pull.state === 'open') return { phase: 'proposed', reason: 'Brought back from Git and the forge.' };
  if (pull.state === 'closed') {
    return { phase: 'rejected', reason: `Pull request #${pull.number} was closed without a merge.` };
  }
  if (holds(one, world)) return { phase: 'merged', reason: 'Brought back from Git and the forge; proven anew.' };
  const entry = world.quarantine.get(key.model)?.find(({ change }) => change === key.id);
  if (entry !== undefined) return { phase: 'rolled-back', reason: entry.reason };
  return { phase: 'superseded', reason: 'The default branch says something newer.' };
}

/** Whether the default branch still says what the change had merged, and no later one says the same. */
function holds(one: Told, { told, carriers, retrainings }: World): boolean {
  const { key, evidence } = one;
  const { model, environment } = key;
  const newer = told.slice(told.indexOf(one) + 1).filter(({ key: other }) => other.model === model);
  if (evidence.kind === 'retrain') {
    const another = newer.some((other) => other.key.kind === 'retrain' && other.pull.state !== 'closed');
    return !another && retrainings.has(retrainFolder(model, key.id));
  }
  const carrier = carriers.get(environmentFolder(model, environment));
  if (evidence.kind === 'retire') return carrier === undefined;
  const after = newer.filter((other) => other.key.environment === environment && other.pull.state === 'merged');
  const restoring = after.some((other) => restoredBy(other) === carrier);
  return carrier !== undefined && carrier === (restoredBy(one) ?? key.id) && !restoring;
}

const restoredBy = ({ evidence }: Told): string | undefined =>
  evidence.kind === 'rollback' ? evidence.restores.change : undefined;

function restoredChange(
  { pull, key, event, evidence, facts, loaded, about }: Told,
  { phase, reason }: Phased,
  now: string,
): RestoredChange {
  const { id, kind, model, environment } = key;
  const { number, url, state, headSha, mergeCommit } = pull;
  const at = pull.state === 'open' ? about.createdAt : (pull.mergedAt ?? now);
  const change: Change = {
    ...about,
    id,
    kind,
    model,
    environment,
    phase,
    reason,
    branch: pull.branch,
    pullRequest: { number, url, state, headSha, ...(mergeCommit === undefined ? {} : { mergeCommit }) },
    updatedAt: now,
    history: [
      { phase: 'requested', at: about.createdAt },
      { phase, at, reason },
    ],
  };
  return { change, evidence, event, facts, ...(loaded === undefined ? {} : { loaded }) };
}
