import { isDeepStrictEqual } from 'node:util';
import type { Kind } from '../kinds.ts';
import { isRecord, type KubeObject, kubeTime } from '../objects.ts';
import type { Deployment } from '../workloads.ts';
import { type Compared, resourceStatus } from './compare.ts';
import { healthOf, worstHealth } from './health.ts';
import type { Hook } from './hooks.ts';
import type {
  AppCondition,
  Application,
  ApplicationStatus,
  ComparedTo,
  Health,
  ResourceStatus,
  SyncCode,
} from './types.ts';

/** A finished comparison. `failure`: the target could not be found out, so the sync status is unknown. */
export type Comparison = {
  readonly compared: readonly Compared[];
  /** What a sync runs after everything is healthy, and what earlier ones have left of that. */
  readonly hooks: readonly Hook[];
  readonly liveHooks: readonly { readonly kind: Kind; readonly live: KubeObject }[];
  readonly revision: string | undefined;
  readonly sourceType: 'Kustomize' | 'Directory' | undefined;
  readonly failure: AppCondition | undefined;
};

const comparedTo = ({ spec }: Application): ComparedTo => ({
  source: spec.source,
  destination: spec.destination,
  ...(spec.ignoreDifferences === undefined ? {} : { ignoreDifferences: spec.ignoreDifferences }),
});

/**
 * Status after a comparison. `fresh`: it was made against what Git says now, so `reconciledAt` moves; a look at the live
 * state alone leaves it, as Argo CD does.
 */
export function comparedStatus(
  app: Application,
  { compared, liveHooks, revision, sourceType, failure }: Comparison,
  fresh: boolean,
  now: number,
): ApplicationStatus {
  const before = app.status ?? {};
  const code: SyncCode = failure
    ? 'Unknown'
    : compared.every(({ status }) => status === 'Synced')
      ? 'Synced'
      : 'OutOfSync';
  const health = failure?.type === 'InvalidSpecError' ? 'Unknown' : worstHealth(compared.map(healthOfOne));
  const moved = before.health?.status !== health;
  const images = imagesOf(compared);
  return {
    ...before,
    sync: { status: code, comparedTo: comparedTo(app), ...(revision === undefined ? {} : { revision }) },
    health: {
      status: health,
      lastTransitionTime: moved ? kubeTime(now) : (before.health?.lastTransitionTime ?? kubeTime(now)),
    },
    resources: [
      ...compared.map((item) =>
        failure ? { ...resourceStatus(item), status: 'Unknown' as const } : resourceStatus(item),
      ),
      ...liveHooks.map(hookStatus),
    ],
    resourceHealthSource: 'appTree',
    conditions: conditionsWith(before.conditions, ['ComparisonError', 'InvalidSpecError'], failure, now),
    summary: images.length > 0 ? { images } : {},
    ...(sourceType === undefined ? {} : { sourceType }),
    ...(fresh || before.reconciledAt === undefined ? { reconciledAt: kubeTime(now) } : {}),
    ...(app.metadata.namespace === undefined ? {} : { controllerNamespace: app.metadata.namespace }),
  };
}

/** A hook is listed, and neither compared nor counted in the health. */
function hookStatus({ kind, live: { metadata } }: Comparison['liveHooks'][number]): ResourceStatus {
  const { namespace, name } = metadata;
  const group = kind.group === '' ? {} : { group: kind.group };
  const at = namespace === undefined ? {} : { namespace };
  return { ...group, version: kind.version, kind: kind.kind, ...at, name, hook: true };
}

/** What is asked for and not there is Missing; what is there and no longer asked for still counts. */
function healthOfOne({ kind, live, target }: Compared): Health | undefined {
  if (live) return healthOf(kind, live);
  return target ? { status: 'Missing' } : undefined;
}

function imagesOf(compared: readonly Compared[]): string[] {
  const images = compared.flatMap(({ live }) => {
    const template = isRecord(live?.['spec']) ? (live as Deployment).spec.template?.spec : undefined;
    return [...(template?.initContainers ?? []), ...(template?.containers ?? [])].map(({ image }) => image);
  });
  return [...new Set(images)].sort();
}

/** Replaces the conditions of these types by `next` (or by none); an unchanged one keeps its time. */
export function conditionsWith(
  before: readonly AppCondition[] | undefined,
  types: readonly AppCondition['type'][],
  next: AppCondition | undefined,
  now: number,
): AppCondition[] {
  const rest = (before ?? []).filter(({ type }) => !types.includes(type));
  if (!next) return rest;
  const known = before?.find(({ type, message }) => type === next.type && message === next.message);
  return [...rest, { ...next, lastTransitionTime: known?.lastTransitionTime ?? kubeTime(now) }];
}

/** Whether an application was compared with another spec than it has now. */
export const specMoved = (app: Application): boolean =>
  !isDeepStrictEqual(app.status?.sync?.comparedTo, comparedTo(app));
