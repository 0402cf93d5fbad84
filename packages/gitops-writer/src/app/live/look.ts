import type { Change } from '@fairway/core';
import type { HealthySight, StoredChange } from '../../change.ts';
import type { Application, Deployment, HowFresh, Relation, SyncWindow } from '../../ports.ts';
import { environmentFolder, environmentName, retrainApplication, retrainFolder } from '../../render/paths.ts';
import type { StepContext } from '../step.ts';
import { crashLoop, isOverdue } from './crash-loop.ts';
import { commitOf, contained } from './contained.ts';
import { faultless } from './faultless.ts';
import { fresh } from './fresh.ts';
import { toldByGoldenCases } from './golden-cases.ts';
import { healthy } from './healthy.ts';
import { type Objection, wholeSeconds } from './objection.ts';
import { ownResources } from './own-resources.ts';
import { rolledOut } from './rolled-out.ts';
import { applied, settled } from './settled.ts';
import { synced } from './synced.ts';

/** What a look at the cluster needs; it writes nothing. */
export type LookContext = Pick<StepContext, 'cluster' | 'history' | 'repository' | 'clock' | 'log' | 'live'>;

/** What Argo CD's word amounts to: conditions 1 to 5 of the rule (docs/contracts.md, "Live"). */
export type SyncLook = { readonly application: Application | undefined; readonly objection: Objection | undefined };

/** Name of the Argo CD Application that carries a change, and the folder of the repository that it applies. */
export function targetOf({ id, kind, model, environment }: Change): { application: string; folder: string } {
  return kind === 'retrain'
    ? { application: retrainApplication(model, id), folder: retrainFolder(model, id) }
    : { application: environmentName(model, environment), folder: environmentFolder(model, environment) };
}

/** Reads the Application and the history, and judges. What would end the change is asked of the API server itself. */
export async function lookAtSync(stored: StoredChange, context: LookContext): Promise<SyncLook> {
  const look = await syncLook(stored, context, 'cached');
  return look.objection !== undefined && decides(look.objection) ? syncLook(stored, context, 'now') : look;
}

export const decides = ({ state, fails }: Objection): boolean => state === 'superseded' || fails === true;

async function syncLook(stored: StoredChange, context: LookContext, how: HowFresh): Promise<SyncLook> {
  const { application: name, folder } = targetOf(stored.change);
  const application = await context.cluster.application(name, how);
  if (application === undefined) return { application, objection: missing(name, folder) };
  return { application, objection: await judgeSync(stored, application, folder, context) };
}

const missing = (name: string, folder: string): Objection => ({
  state: 'waiting-for-sync',
  reason: `There is no Argo CD Application ${name} yet; if it stays away, look whether an ApplicationSet covers ${folder}.`,
});

async function judgeSync(
  { change, facts }: StoredChange,
  application: Application,
  folder: string,
  context: LookContext,
): Promise<Objection | undefined> {
  const { clock, live } = context;
  const place = { repositoryUrl: live.repositoryUrl, folder };
  const relate = (commit: string | undefined) => relation(facts.mergeCommit, commit, folder, context);
  const compared = commitOf(application.compared, place);
  const relative = await relate(compared);
  // A fact of Git, whatever else Argo CD is doing.
  if (relative.kind === 'superseded') return contained(relative, compared);
  const busy = settled(application);
  if (busy !== undefined) return busy;
  const needed = application.operation !== undefined && !isQuiet(application);
  const done = needed ? commitOf(application.operation?.applied ?? [], place) : undefined;
  const appliedRelation = done === compared ? relative : await relate(done);
  const failure = applied(application, needed ? appliedRelation : undefined);
  return (
    (await toldByGoldenCases(failure, application, stampOf({ change, facts }), context)) ??
    faultless(application) ??
    contained(relative, compared) ??
    fresh(application, facts.mergedAt) ??
    synced(application, {
      rule: live.syncRule,
      own: ownResources(change),
      applied: needed ? appliedRelation : undefined,
      windows: await windowsOf(application, context),
      now: clock.now(),
    })
  );
}

/** What the last operation applied does not matter then. */
const isQuiet = ({ operation, syncStatus }: Application): boolean =>
  operation?.phase === 'Succeeded' && syncStatus === 'Synced';

function relation(
  mergeCommit: string | undefined,
  commit: string | undefined,
  folder: string,
  { history }: LookContext,
): Promise<Relation> {
  if (mergeCommit === undefined || commit === undefined) return Promise.resolve({ kind: 'unknown' });
  return history.relation(mergeCommit, commit, folder);
}

/** Windows explain a wait and decide nothing, so a project that cannot be read does not hold up the look. */
async function windowsOf(
  { project, syncStatus }: Application,
  { cluster, log }: LookContext,
): Promise<readonly SyncWindow[]> {
  if (syncStatus !== 'OutOfSync' || project === '') return [];
  try {
    return await cluster.syncWindows(project);
  } catch (error) {
    log.warn({ project, reason: (error as Error).message }, 'the sync windows of an Argo CD project cannot be read');
    return [];
  }
}

/** Conditions 1 to 7 without the pods. `sight` is to be kept with the change. */
export type RolloutLook = {
  readonly application: Application | undefined;
  readonly deployment: Deployment | undefined;
  readonly objection: Objection | undefined;
  readonly sight: HealthySight | undefined;
};

/** What the pod template of a change's Deployment must carry. */
export const stampOf = ({ change, facts }: Pick<StoredChange, 'change' | 'facts'>): string => facts.stamp ?? change.id;

/** Sync, Deployment, health, each only when all before holds. */
export async function lookAtRollout(
  stored: StoredChange,
  context: LookContext,
  how: HowFresh,
  hysteresisMs: number,
): Promise<RolloutLook> {
  const { change, facts } = stored;
  const { application, objection } = await syncLook(stored, context, how);
  if (objection !== undefined || application === undefined)
    return { application, deployment: undefined, objection, sight: undefined };
  const deployment = await context.cluster.deployment(environmentName(change.model, change.environment), change.model);
  const unfinished = rolledOut(deployment, stampOf(stored), application);
  const fallen = unfinished?.fails === true ? undefined : await fallenPods(stored, deployment, context);
  if (fallen !== undefined) return { application, deployment, objection: fallen, sight: undefined };
  if (unfinished !== undefined) return { application, deployment, objection: unfinished, sight: undefined };
  const { objection: unhealthy, sight } = healthy(application, {
    rolledOutAt: later(deployment?.rolledOutAt, facts.mergedAt),
    seen: facts.liveness?.healthy,
    now: context.clock.now(),
    hysteresisMs,
  });
  return { application, deployment, objection: unhealthy, sight };
}

/** Pods are read only when the Deployment lacks some for too long. */
async function fallenPods(
  stored: StoredChange,
  deployment: Deployment | undefined,
  { cluster, clock }: LookContext,
): Promise<Objection | undefined> {
  const { model, environment } = stored.change;
  const stamp = stampOf(stored);
  if (deployment?.stamp !== stamp || deployment.observedGeneration < deployment.generation) return undefined;
  if (!isOverdue(deployment, later(deployment.rolledOutAt, stored.facts.mergedAt), clock.now())) return undefined;
  return crashLoop(await cluster.pods(environmentName(model, environment), deployment.selector), stamp);
}

/** undefined while the end of the rollout is not known. */
function later(rolledOutAt: string | undefined, mergedAt: string | undefined): string | undefined {
  if (rolledOutAt === undefined || mergedAt === undefined) return rolledOutAt;
  return wholeSeconds(mergedAt) > wholeSeconds(rolledOutAt) ? mergedAt : rolledOutAt;
}
