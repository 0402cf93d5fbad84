import { z } from 'zod';
import { FairwayError } from '@fairway/core';
import type { Application, ConditionWord, HookWord, SourceRevision } from '../ports.ts';

const REFRESH = 'argocd.argoproj.io/refresh';
const ERRORS: readonly string[] = ['ComparisonError', 'InvalidSpecError', 'SyncError'];

const text = z.string().optional();
const source = z.object({ repoURL: text, path: text });
const sources = z.object({ source: source.optional(), sources: z.array(source).nullish() });
/** `revisions` goes with `sources`, `revision` with `source`. */
const revisions = z.object({ revision: text, revisions: z.array(z.string()).nullish() });

const sync = revisions.extend({ status: z.enum(['Synced', 'OutOfSync', 'Unknown']), comparedTo: sources.optional() });
const health = z.object({
  status: z.enum(['Healthy', 'Progressing', 'Degraded', 'Suspended', 'Missing', 'Unknown']).optional(),
  message: text,
  lastTransitionTime: text,
});
/** `hookType` is empty for what is no hook. */
const result = z.object({
  kind: text,
  namespace: text,
  name: text,
  hookType: text,
  hookPhase: text,
  message: text,
});
const operationState = z.object({
  phase: z.enum(['Running', 'Terminating', 'Failed', 'Error', 'Succeeded']),
  finishedAt: text,
  message: text,
  syncResult: revisions.extend({ ...sources.shape, resources: z.array(result).nullish() }).optional(),
});
const resource = z.object({
  group: text,
  kind: z.string(),
  namespace: text,
  name: z.string(),
  status: z.enum(['Synced', 'OutOfSync', 'Unknown']).optional().catch(undefined),
});
const schema = z.object({
  metadata: z.object({
    name: z.string(),
    deletionTimestamp: z.unknown().optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  spec: sources
    .extend({
      project: text,
      destination: z.object({ server: text, name: text, namespace: text }).optional(),
      syncPolicy: z.object({ automated: z.object({ enabled: z.boolean().nullish() }).nullish() }).nullish(),
    })
    .optional(),
  operation: z.unknown().optional(),
  status: z
    .object({
      reconciledAt: text.nullish(),
      sync: sync.optional(),
      health: health.optional(),
      operationState: operationState.nullish(),
      conditions: z.array(z.object({ type: z.string(), message: text })).nullish(),
      resources: z.array(resource).nullish(),
    })
    .optional(),
});
type Raw = z.infer<typeof schema>;
type Status = NonNullable<Raw['status']>;

/** The part of an `argoproj.io/v1alpha1` Application that decides what is live. */
export function toApplication(object: unknown): Application {
  const parsed = schema.safeParse(object);
  if (!parsed.success) {
    const at = parsed.error.issues[0]?.path.join('.') ?? '';
    throw new FairwayError(
      'cluster.unavailable',
      `The Kubernetes API answered with an Application that is none of v1alpha1 (${at}).`,
    );
  }
  const { metadata, operation, spec, status = {} } = parsed.data;
  const automated = spec?.syncPolicy?.automated;
  return {
    name: metadata.name,
    project: spec?.project ?? '',
    destination: defined(spec?.destination ?? {}),
    autoSync: automated !== undefined && automated !== null && automated.enabled !== false,
    deleting: metadata.deletionTimestamp !== undefined,
    operationRequested: operation !== undefined && operation !== null,
    refreshRequested: metadata.annotations?.[REFRESH] !== undefined,
    syncStatus: status.sync?.status ?? 'Unknown',
    // Revisions are parallel to what was compared, which may have other sources than the spec by now.
    compared: sourceRevisions(status.sync?.comparedTo ?? {}, spec ?? {}, status.sync ?? {}),
    errors: errorsOf(status),
    resources: (status.resources ?? []).map((word) => ({
      group: word.group ?? '',
      kind: word.kind,
      namespace: word.namespace ?? '',
      name: word.name,
      ...(word.status === undefined ? {} : { status: word.status }),
    })),
    ...healthOf(status),
    ...(status.reconciledAt == null ? {} : { reconciledAt: status.reconciledAt }),
    ...(status.operationState == null ? {} : { operation: operationOf(status.operationState, spec ?? {}) }),
  };
}

function healthOf({ health: word }: Status): Pick<Application, 'health' | 'healthMessage' | 'healthSince'> {
  return {
    health: word?.status ?? 'Unknown',
    ...(word?.message === undefined ? {} : { healthMessage: word.message }),
    ...(word?.lastTransitionTime === undefined ? {} : { healthSince: word.lastTransitionTime }),
  };
}

function errorsOf({ conditions }: Status): ConditionWord[] {
  return (conditions ?? [])
    .filter(({ type }) => ERRORS.includes(type))
    .map(({ type, message }) => ({ type: type as ConditionWord['type'], message: message ?? 'no message' }));
}

function operationOf(
  { phase, finishedAt, message, syncResult }: NonNullable<Status['operationState']>,
  spec: z.infer<typeof sources>,
): NonNullable<Application['operation']> {
  const failedHooks = (syncResult?.resources ?? []).filter(isFailedHook).map(toHookWord);
  return {
    phase,
    applied: sourceRevisions(syncResult ?? {}, spec, syncResult ?? {}),
    ...(failedHooks.length === 0 ? {} : { failedHooks }),
    ...(finishedAt === undefined ? {} : { finishedAt }),
    ...(message === undefined ? {} : { message }),
  };
}

type Result = z.infer<typeof result>;
const toHookWord = ({ kind = '', namespace = '', name = '', message = '' }: Result): HookWord => ({
  kind,
  namespace,
  name,
  message,
});
const isFailedHook = ({ hookType = '', hookPhase }: Result): boolean =>
  hookType !== '' && (hookPhase === 'Failed' || hookPhase === 'Error');

/** Sources with their revisions: those that the answer names, else those of the spec. */
function sourceRevisions(
  named: z.infer<typeof sources>,
  spec: z.infer<typeof sources>,
  told: z.infer<typeof revisions>,
): SourceRevision[] {
  const several = named.sources ?? (named.source === undefined ? spec.sources : undefined) ?? [];
  if (several.length > 0) return several.map((one, i) => sourceRevision(one, told.revisions?.[i]));
  return [sourceRevision(named.source ?? spec.source ?? {}, told.revision)];
}

const sourceRevision = ({ repoURL, path }: z.infer<typeof source>, revision: string | undefined): SourceRevision => ({
  repoURL: repoURL ?? '',
  revision: revision ?? '',
  ...(path === undefined ? {} : { path }),
});

/** Without the fields that are undefined. */
function defined({ server, name, namespace }: NonNullable<NonNullable<Raw['spec']>['destination']>) {
  return {
    ...(server === undefined ? {} : { server }),
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
  };
}
