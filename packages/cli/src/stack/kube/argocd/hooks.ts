import type { Writer } from '../admission/writer.ts';
import { kindKey, type Kind } from '../kinds.ts';
import type { KubeObject } from '../objects.ts';
import { reasonOf } from '../refusal.ts';
import type { Registry } from '../store/registry.ts';
import { applied, type Compared } from './compare.ts';
import { healthOf } from './health.ts';
import { permitsKind } from './project.ts';
import type { SyncOutcome } from './sync.ts';
import { type Application, HOOK, HOOK_DELETE_POLICY, type ResourceResult, SYNC_WAVE } from './types.ts';

/** A hook as Git wants it, in its place. */
export type Hook = { readonly kind: Kind; readonly object: KubeObject };

/** Whether an object is run by a sync instead of being part of what is compared. */
export const isHook = ({ metadata }: KubeObject): boolean => metadata.annotations?.[HOOK] !== undefined;

/** Why the embedded Argo CD cannot run a hook; undefined when it can. */
export function hookProblem(object: KubeObject): string | undefined {
  const phases = (object.metadata.annotations?.[HOOK] ?? 'PostSync').split(',').map((phase) => phase.trim());
  if (phases.length === 1 && phases[0] === 'PostSync') return undefined;
  return `${object.kind} ${object.metadata.name} is a hook of ${phases.join(', ')}: the embedded cluster runs PostSync hooks only.`;
}

type Parts = { readonly registry: Registry; readonly writer: Writer; readonly app: Application };

/**
 * One look at a sync that has PostSync hooks, after everything was applied (gitops-engine, `pkg/sync`): waits until what
 * was applied is healthy, then runs the hooks wave by wave. `results` is what the look before has left.
 */
export async function continueSync(
  parts: Parts,
  compared: readonly Compared[],
  hooks: readonly Hook[],
  results: readonly ResourceResult[],
): Promise<SyncOutcome> {
  const settled = results.map((result) => (isRunning(result) && !result.hookType ? looked(result, compared) : result));
  const sick = settled.some(({ hookPhase }) => hookPhase === 'Failed');
  if (sick) return failed(settled);
  const waiting = settled.filter((result) => isRunning(result) && !result.hookType);
  if (waiting.length > 0) return running(settled, `waiting for healthy state of ${named(waiting, 'resources')}`);
  return runHooks(parts, hooks, settled);
}

const isRunning = ({ hookPhase }: ResourceResult): boolean => hookPhase === 'Running';

/** Once healthy stays healthy for the sync; only Degraded ends it, everything else is waited for. */
function looked(result: ResourceResult, compared: readonly Compared[]): ResourceResult {
  // What is not pruned is not waited for.
  if (result.status === 'PruneSkipped') return { ...result, hookPhase: 'Succeeded' };
  const item = compared.find((one) => isOf(result, one.kind, one.namespace, one.name));
  if (item?.live === undefined) return item === undefined ? { ...result, hookPhase: 'Succeeded' } : result;
  const health = healthOf(item.kind, item.live);
  if (health === undefined || health.status === 'Healthy') return { ...result, hookPhase: 'Succeeded' };
  if (health.status !== 'Degraded') return result;
  return { ...result, hookPhase: 'Failed', message: health.message ?? '' };
}

const isOf = (result: ResourceResult, kind: Kind, namespace: string, name: string): boolean =>
  result.group === kind.group && result.kind === kind.kind && result.namespace === namespace && result.name === name;

const waveOf = ({ object }: Hook): number => Number(object.metadata.annotations?.[SYNC_WAVE] ?? 0);

async function runHooks(parts: Parts, hooks: readonly Hook[], before: readonly ResourceResult[]): Promise<SyncOutcome> {
  const results = before.map((result) => (isRunning(result) ? watched(parts.registry, hooks, result) : result));
  const going = results.filter(isRunning);
  if (going.length > 0) return running(results, `waiting for completion of hook ${named(going, 'hooks')}`);
  if (results.some(({ hookPhase }) => hookPhase === 'Failed')) {
    remove(parts.registry, hooks, 'HookFailed');
    return failed(results);
  }
  const pending = hooks.filter((hook) => !results.some((result) => isOf(result, hook.kind, ...placeOf(hook))));
  if (pending.length === 0) {
    remove(parts.registry, hooks, 'HookSucceeded');
    return { phase: 'Succeeded', message: 'successfully synced (no more tasks)', resources: results };
  }
  const wave = Math.min(...pending.map(waveOf));
  return startWave(
    parts,
    pending.filter((hook) => waveOf(hook) === wave),
    results,
  );
}

const placeOf = ({ object: { metadata } }: Hook): [namespace: string, name: string] => [
  metadata.namespace ?? '',
  metadata.name,
];

/** Deletes what an earlier sync has left under the same names, then creates. */
async function startWave(
  parts: Parts,
  wave: readonly Hook[],
  results: readonly ResourceResult[],
): Promise<SyncOutcome> {
  const { registry } = parts;
  const left = wave.filter((hook) => policies(hook).has('BeforeHookCreation') && liveOf(registry, hook) !== undefined);
  for (const hook of left) discard(registry, hook);
  const still = left
    .filter((hook) => liveOf(registry, hook) !== undefined)
    .map((hook) => resultOf(hook, 'Running', ''));
  if (still.length > 0) return running(results, `waiting for deletion of ${named(still, 'hooks')}`);
  const created: ResourceResult[] = [];
  for (const hook of wave) created.push(await create(parts, hook));
  const all = [...results, ...created];
  if (created.some(({ hookPhase }) => hookPhase === 'Failed'))
    return failed(all, 'one or more objects failed to apply');
  return running(all, `waiting for completion of hook ${named(created, 'hooks')}`);
}

async function create({ registry, writer, app }: Parts, hook: Hook): Promise<ResourceResult> {
  const { kind, object } = hook;
  if (!permitsKind(registry, app, kind)) {
    const what = `resource ${kind.group}:${kind.kind} is not permitted in project ${app.spec.project}`;
    return { ...resultOf(hook, 'Failed', what), status: 'SyncFailed' };
  }
  try {
    await writer.create(kind, applied(object, undefined));
    return resultOf(hook, 'Running', `${object.metadata.name} created`);
  } catch (error) {
    if (reasonOf(error) === undefined) throw error;
    return { ...resultOf(hook, 'Failed', (error as Error).message), status: 'SyncFailed' };
  }
}

/** What a hook's health says of it; a kind without health has done what it can by being there. */
function watched(registry: Registry, hooks: readonly Hook[], result: ResourceResult): ResourceResult {
  const hook = hooks.find((one) => isOf(result, one.kind, ...placeOf(one)));
  const live = hook && liveOf(registry, hook);
  if (hook === undefined || live === undefined) return { ...result, hookPhase: 'Failed', message: 'the hook is gone' };
  const health = healthOf(hook.kind, live);
  if (health === undefined || health.status === 'Healthy')
    return { ...result, hookPhase: 'Succeeded', message: health?.message ?? result.message };
  const ended = health.status === 'Degraded' || health.status === 'Unknown';
  return { ...result, hookPhase: ended ? 'Failed' : 'Running', message: health.message ?? result.message };
}

const liveOf = (registry: Registry, hook: Hook): KubeObject | undefined => registry.get(hook.kind, ...placeOf(hook));

const policies = ({ object }: Hook): ReadonlySet<string> =>
  new Set((object.metadata.annotations?.[HOOK_DELETE_POLICY] ?? 'BeforeHookCreation').split(',').map((p) => p.trim()));

function remove(registry: Registry, hooks: readonly Hook[], policy: string): void {
  for (const hook of hooks) if (policies(hook).has(policy)) discard(registry, hook);
}

function discard(registry: Registry, hook: Hook): void {
  const live = liveOf(registry, hook);
  if (live === undefined || live.metadata.deletionTimestamp !== undefined) return;
  registry.remove(hook.kind, ...placeOf(hook), { propagation: 'Foreground' });
}

const resultOf = (hook: Hook, hookPhase: ResourceResult['hookPhase'], message: string): ResourceResult => {
  const [namespace, name] = placeOf(hook);
  const { group, version, kind } = hook.kind;
  return { group, version, kind, namespace, name, message, hookType: 'PostSync', hookPhase, syncPhase: 'PostSync' };
};

/** `batch/Job/x and 1 more hooks`, as Argo CD writes it. */
function named([first, ...more]: readonly ResourceResult[], what: string): string {
  const one = first === undefined ? '' : `${kindKey(first)}/${first.name}`;
  return more.length === 0 ? one : `${one} and ${more.length} more ${what}`;
}

const running = (resources: readonly ResourceResult[], message: string): SyncOutcome => ({
  phase: 'Running',
  message,
  resources,
});

/** Argo CD does not say which task it was: that stands in the results. */
const failed = (
  resources: readonly ResourceResult[],
  message = 'one or more synchronization tasks completed unsuccessfully',
): SyncOutcome => ({ phase: 'Failed', message, resources });
