import { z } from 'zod';
import { FairwayError } from '@fairway/core';
import type { Application } from '../ports.ts';

const REFRESH = 'argocd.argoproj.io/refresh';
/** Conditions under which nothing Argo CD says about an Application can be believed. */
const ERRORS: readonly string[] = ['ComparisonError', 'InvalidSpecError', 'SyncError'];

const schema = z.object({
  metadata: z.object({
    deletionTimestamp: z.unknown().optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  operation: z.unknown().optional(),
  status: z
    .object({
      reconciledAt: z.string().optional(),
      sync: z
        .object({ status: z.enum(['Synced', 'OutOfSync', 'Unknown']), revision: z.string().optional() })
        .optional(),
      health: z
        .object({
          status: z.enum(['Healthy', 'Progressing', 'Degraded', 'Suspended', 'Missing', 'Unknown']).optional(),
          message: z.string().optional(),
        })
        .optional(),
      operationState: z
        .object({
          phase: z.enum(['Running', 'Terminating', 'Failed', 'Error', 'Succeeded']),
          finishedAt: z.string().optional(),
          message: z.string().optional(),
          syncResult: z.object({ revision: z.string().optional() }).optional(),
        })
        .optional(),
      conditions: z.array(z.object({ type: z.string(), message: z.string().optional() })).optional(),
    })
    .optional(),
});

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
  const { metadata, operation, status } = parsed.data;
  const errors = (status?.conditions ?? []).filter(({ type }) => ERRORS.includes(type));
  return {
    deleting: metadata.deletionTimestamp !== undefined,
    operationRequested: operation !== undefined,
    refreshRequested: metadata.annotations?.[REFRESH] !== undefined,
    syncStatus: status?.sync?.status ?? 'Unknown',
    revision: status?.sync?.revision ?? '',
    health: status?.health?.status ?? 'Unknown',
    errors: errors.map(({ type, message }) => `${type}: ${message ?? 'no message'}`),
    ...(status?.health?.message === undefined ? {} : { healthMessage: status.health.message }),
    ...(status?.reconciledAt === undefined ? {} : { reconciledAt: status.reconciledAt }),
    ...(status?.operationState === undefined ? {} : { operation: toOperation(status.operationState) }),
  };
}

type OperationState = NonNullable<NonNullable<z.infer<typeof schema>['status']>['operationState']>;

function toOperation({
  phase,
  finishedAt,
  message,
  syncResult,
}: OperationState): NonNullable<Application['operation']> {
  return {
    phase,
    ...(finishedAt === undefined ? {} : { finishedAt }),
    ...(message === undefined ? {} : { message }),
    ...(syncResult?.revision === undefined ? {} : { revision: syncResult.revision }),
  };
}
