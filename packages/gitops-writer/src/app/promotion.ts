import {
  type Approval,
  type Baseline,
  type Change,
  END_PHASES,
  GOLDEN_FILE,
  iso,
  type ModelVersion,
  type Part,
  pause,
  redact,
} from '@fairway/core';
import type { ChangeIntake, ChangeReader, LoadedVersion, Repository, Verdicts } from '../ports.ts';
import type { Chain } from '../render/chain.ts';
import { spanInWords } from '../render/duration.ts';
import type { ModelEnvironment, ModelFile } from '../render/model-file.ts';
import { environmentFolder } from '../render/paths.ts';
import { chainAt } from './catalogue.ts';
import { goldenEvidence } from './golden.ts';
import { newChange, PROMOTION } from './intake.ts';
import type { KnownModels } from './known-models.ts';
import type { LookContext } from './live/look.ts';
import { liveness } from './liveness.ts';
import { heldBack } from './quarantine.ts';

export type PromotionContext = LookContext & {
  readonly intake: ChangeIntake;
  readonly changes: ChangeReader;
  readonly models: KnownModels;
  readonly verdicts: Verdicts;
  readonly wake: (ids: readonly string[]) => Promise<void>;
};

/**
 * Proposes what has soaked for the next environment, every `everyMs`. It only looks at what is true now, and the change
 * it leads to has a deterministic id: any number of replicas do it at the same time, and none has to.
 */
export function promoter(context: PromotionContext, everyMs: number): Part {
  const stopping = new AbortController();
  let loop: Promise<void> | undefined;
  const run = async () => {
    while (!stopping.signal.aborted) {
      await promoteAll(context).catch((error: Error) =>
        context.log.warn({ reason: redact(error.message) }, 'soaked versions cannot be looked for'),
      );
      await pause(everyMs, stopping.signal);
    }
  };
  return {
    name: 'promoter',
    start: () => {
      loop = run();
    },
    stop: async () => {
      stopping.abort();
      await loop;
    },
  };
}

/** One look at everything that is live; answers the ids of the changes it led to. */
export async function promoteAll(context: PromotionContext): Promise<string[]> {
  const { changes, repository, models, clock, log, wake } = context;
  const head = await repository.head(0);
  const live = new Map<string, Change[]>();
  for (const change of await changes.live()) live.set(change.model, [...(live.get(change.model) ?? []), change]);
  const ids: string[] = [];
  for (const [model, serving] of live) {
    const file = await models.at(head, model);
    for (const soaked of file === undefined ? [] : soakedIn(file, serving, clock.now())) {
      try {
        const id = await promote(soaked, context, head);
        if (id !== undefined) ids.push(id);
      } catch (error) {
        const { name } = soaked.from;
        log.info({ model, environment: name, reason: redact((error as Error).message) }, 'a promotion has to wait');
      }
    }
  }
  if (ids.length > 0) await wake(ids);
  return ids;
}

type Soaked = {
  readonly change: Change;
  readonly since: string;
  readonly from: ModelEnvironment;
  readonly to: ModelEnvironment;
};

/** What has been live for its soak time, and where it would go next. Pure. */
export function soakedIn({ environments }: ModelFile, live: readonly Change[], now: number): Soaked[] {
  return environments.flatMap((from, at): Soaked[] => {
    const to = environments[at + 1];
    const change = live.find(({ environment }) => environment === from.name);
    const since = change?.history.findLast(({ phase }) => phase === 'live')?.at;
    if (to === undefined || change === undefined || since === undefined || from.promoteAfterMs === undefined) return [];
    return now - Date.parse(since) >= from.promoteAfterMs ? [{ change, since, from, to }] : [];
  });
}

async function promote(soaked: Soaked, context: PromotionContext, head: string): Promise<string | undefined> {
  const { intake, repository, log } = context;
  const { change, from, to } = soaked;
  const { model } = change;
  const chain = await chainAt(repository, head, { model, environment: from.name });
  // Something newer has been merged and is not live yet.
  if (chain === undefined || chain.digest !== change.digest) return undefined;
  const event = `${PROMOTION}${chain.change}:${to.name}`;
  if (!(await isNews(chain, model, to.name, context, head))) return undefined;
  if ((await intake.byEvent('deploy', event)) !== undefined) return undefined;
  const reason = await objection(chain, soaked, context, head);
  if (reason !== undefined) {
    log.info({ model, version: chain.version, environment: from.name, reason }, 'a promotion has to wait');
    return undefined;
  }
  const loaded = await committed(repository, head, environmentFolder(model, from.name));
  if (loaded === undefined) return undefined;
  const promotion = promotionOf(soaked, chain, event, iso(context.clock.now()));
  const evidence = { ...promotion.evidence, ...goldenEvidence(loaded.golden) };
  const accepted = await intake.acceptApproval({ ...promotion, evidence }, loaded);
  return accepted.change.id;
}

/** Whether the next environment has neither these bytes nor newer ones, and nobody has been asked about them yet. */
async function isNews(
  { version, digest }: Chain,
  model: string,
  environment: string,
  { repository, changes }: PromotionContext,
  head: string,
): Promise<boolean> {
  const there = await chainAt(repository, head, { model, environment });
  if (there !== undefined && (there.digest === digest || !isNewer(version, there.version))) return false;
  const { changes: known } = await changes.list({ model, environment, kind: 'deploy' }, { limit: 100 });
  // A closed or failed one is an answer as well; only a person asks again.
  if (known.some((other) => other.digest === digest)) return false;
  return known.every((other) => END_PHASES.includes(other.phase) || isNewer(version, other.version));
}

const isNewer = (version: string, than: string): boolean =>
  /^\d+$/.test(version) && /^\d+$/.test(than) && BigInt(version) > BigInt(than);

async function objection(
  { version, digest }: Chain,
  { change, from }: Soaked,
  context: PromotionContext,
  head: string,
): Promise<string | undefined> {
  const { model } = change;
  return (
    (await heldBack({ model, version, digest }, context, head)) ??
    (await context.verdicts.inAlert(model, version, from.name)) ??
    (await notLiveNow(change, context))
  );
}

/** That it was live when its soak began does not say that it is: its pods may fall since. */
async function notLiveNow({ id }: Change, context: PromotionContext): Promise<string | undefined> {
  const stored = await context.changes.find(id);
  if (stored === undefined) return `change ${id} is not known any more`;
  const { state, reason } = await liveness(stored, context);
  return state === 'live' ? undefined : `it is ${state} now: ${reason}`;
}

/** Model version, baseline and golden cases as the change of the environment before has committed them: the approved bytes. */
async function committed(repository: Repository, head: string, folder: string): Promise<LoadedVersion | undefined> {
  const modelVersion = await repository.read(head, `${folder}/modelversion.json`);
  const baseline = await repository.read(head, `${folder}/baseline.json`);
  const golden = await repository.read(head, `${folder}/${GOLDEN_FILE}`);
  if (modelVersion === undefined || baseline === undefined) return undefined;
  return {
    modelVersion: JSON.parse(modelVersion.text) as ModelVersion,
    baseline: JSON.parse(baseline.text) as Baseline,
    ...(golden === undefined ? {} : { golden: golden.text }),
  };
}

const MOST_EVIDENCE = 4_000;

/** The decision for the environment before is carried over; whoever may merge decides for this one. */
function promotionOf({ change, since, from, to }: Soaked, chain: Chain, event: string, at: string) {
  const { model } = change;
  const { version, digest, approval: first } = chain;
  const told = [
    `Promoted from ${from.name}, where change ${change.id} has been live since ${since} (soak time ${spanInWords(from.promoteAfterMs ?? 0)}). It was approved for ${from.name} by event ${first.eventId}.`,
    ...(first.evidence === undefined ? [] : [first.evidence]),
  ].join('\n\n');
  const approval: Approval = {
    eventId: event,
    model,
    version,
    environment: to.name,
    actor: first.actor,
    time: first.time,
    evidence: told.slice(0, MOST_EVIDENCE),
  };
  const made = newChange({ ...approval, kind: 'deploy', digest, event }, at);
  const evidence = { kind: 'deploy' as const, approval, digest, promotes: change.id };
  return { change: { ...made, digest }, evidence, event };
}

/** Where no monitor is asked: a retraining that is under way says that the version has decayed. */
export function openRetraining(changes: ChangeReader): Verdicts {
  return {
    inAlert: async (model, version, environment) => {
      const { changes: newest } = await changes.list({ model, environment, kind: 'retrain' }, { limit: 20 });
      const open = newest.find((change) => change.version === version && !END_PHASES.includes(change.phase));
      return open === undefined ? undefined : `a retraining of ${model} ${version} is open (change ${open.id})`;
    },
  };
}
