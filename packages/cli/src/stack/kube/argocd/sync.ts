import type { Writer } from '../admission/writer.ts';
import { kindKey, NAMESPACE, qualified } from '../kinds.ts';
import { reasonOf } from '../refusal.ts';
import type { Registry } from '../store/registry.ts';
import { applied, type Compared } from './compare.ts';
import { permitsKind } from './project.ts';
import type { Application, Operation, OperationPhase, ResourceResult, SyncResource } from './types.ts';

/** Order in which kinds are applied (gitops-engine's); kinds that are not listed come last. Pruning goes the other way. */
const KIND_ORDER = [
  '/Namespace',
  '/ServiceAccount',
  '/Secret',
  '/ConfigMap',
  '/PersistentVolume',
  '/PersistentVolumeClaim',
  '/Service',
  '/Pod',
  'apps/ReplicaSet',
  'apps/Deployment',
  'batch/Job',
];

const rank = ({ kind }: Compared): number => {
  const at = KIND_ORDER.indexOf(kindKey(kind));
  return at < 0 ? KIND_ORDER.length : at;
};

export type SyncOutcome = {
  /** `Running`: hooks are to run, or do. */
  readonly phase: Extract<OperationPhase, 'Running' | 'Succeeded' | 'Failed'>;
  readonly message: string;
  readonly resources: readonly ResourceResult[];
};

/** Objects to read, and the way to write them. */
export type Objects = { readonly registry: Registry; readonly writer: Writer };

/** Applies every target and prunes what Git no longer wants. Everything is tried; one failure fails the operation. */
export async function runSync(
  { registry, writer }: Objects,
  app: Application,
  operation: Operation,
  everything: readonly Compared[],
): Promise<SyncOutcome> {
  const chosen = operation.sync?.resources;
  const compared =
    chosen === undefined ? everything : everything.filter((item) => chosen.some((one) => isOne(item, one)));
  const options = operation.sync?.syncOptions ?? app.spec.syncPolicy?.syncOptions ?? [];
  const problem = options.includes('CreateNamespace=true')
    ? await createNamespace({ registry, writer }, app)
    : undefined;
  if (problem !== undefined) return { phase: 'Failed', message: problem, resources: [] };
  const targets = compared.filter(({ target }) => target !== undefined).sort((a, b) => rank(a) - rank(b));
  const surplus = compared.filter(({ target }) => target === undefined).sort((a, b) => rank(b) - rank(a));
  const applies: ResourceResult[] = [];
  for (const item of targets)
    applies.push(permitsKind(registry, app, item.kind) ? await applyOne(writer, item) : notPermitted(app, item));
  const failed = applies.some(({ status }) => status === 'SyncFailed');
  // Argo CD prunes only after everything was applied.
  const prunes: ResourceResult[] = [];
  for (const item of failed ? [] : surplus) prunes.push(await pruneOne(writer, item, operation.sync?.prune === true));
  const resources = [...applies, ...prunes];
  const reasons = resources.filter(({ status }) => status === 'SyncFailed').map(({ message }) => message);
  if (reasons.length === 0) return { phase: 'Succeeded', message: 'successfully synced (all tasks run)', resources };
  return { phase: 'Failed', message: `one or more objects failed to apply, reason: ${reasons.join(', ')}`, resources };
}

const isOne = ({ kind, namespace, name }: Compared, one: SyncResource): boolean =>
  kind.group === one.group && kind.kind === one.kind && namespace === (one.namespace ?? '') && name === one.name;

async function createNamespace({ registry, writer }: Objects, app: Application): Promise<string | undefined> {
  const name = app.spec.destination.namespace;
  if (name === undefined || registry.get(NAMESPACE, '', name)) return undefined;
  const { labels, annotations } = app.spec.syncPolicy?.managedNamespaceMetadata ?? {};
  try {
    await writer.create(NAMESPACE, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) },
    });
    return undefined;
  } catch (error) {
    if (reasonOf(error) === undefined) throw error;
    return (error as Error).message;
  }
}

const result = (
  { kind, namespace, name }: Compared,
  status: NonNullable<ResourceResult['status']>,
  message: string,
): ResourceResult => ({
  group: kind.group,
  version: kind.version,
  kind: kind.kind,
  namespace,
  name,
  status,
  message,
  hookPhase: status === 'SyncFailed' ? 'Failed' : 'Running',
  syncPhase: 'Sync',
});

const notPermitted = (app: Application, item: Compared): ResourceResult =>
  result(
    item,
    'SyncFailed',
    `resource ${item.kind.group}:${item.kind.kind} is not permitted in project ${app.spec.project}`,
  );

async function applyOne(writer: Writer, item: Compared): Promise<ResourceResult> {
  const { kind, target, live } = item;
  const what = `${qualified(kind)}/${item.name}`;
  if (!target) return result(item, 'SyncFailed', `${what} has no manifest`);
  try {
    const written = live
      ? await writer.update(kind, item, () => applied(target, live))
      : await writer.create(kind, applied(target, live));
    const changed = written.metadata.resourceVersion !== live?.metadata.resourceVersion;
    return result(item, 'Synced', `${what} ${live ? (changed ? 'configured' : 'unchanged') : 'created'}`);
  } catch (error) {
    if (reasonOf(error) === undefined) throw error;
    return result(item, 'SyncFailed', (error as Error).message);
  }
}

async function pruneOne(writer: Writer, item: Compared, prune: boolean): Promise<ResourceResult> {
  if (!prune) return result(item, 'PruneSkipped', 'ignored (requires pruning)');
  try {
    await writer.remove(item.kind, item.namespace, item.name, { propagation: 'Foreground' });
  } catch (error) {
    if (reasonOf(error) !== 'NotFound') throw error;
  }
  return result(item, 'Pruned', 'pruned');
}
