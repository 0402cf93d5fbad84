import { z } from 'zod';
import { durationMs } from './duration.ts';
import { durationUpTo, objectName, pinned, resourceProblems, type Resources, resourcesSchema } from './fields.ts';

const HOST = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/;
const host = z.string().regex(HOST, 'must be a host name such as scores.example.com');
const LABEL_KEY = /^([a-z0-9.-]{1,253}\/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?$/;

/** How a model is served: in model.yaml for all environments, and below an environment what is different there. */
export const servingSchema = z.strictObject({
  replicas: z.int().min(1).max(100).optional(),
  autoscaling: z
    .strictObject({
      min: z.int().min(1).max(1000).default(2),
      max: z.int().min(1).max(1000),
      cpu: z.int().min(1).max(100).default(70),
    })
    .optional(),
  load: durationUpTo('24h').optional(),
  timeout: durationUpTo('1h').optional(),
  resources: resourcesSchema.optional(),
  batching: z
    .strictObject({
      size: z.int().min(1).max(100_000),
      timeoutMicros: z.int().min(0).max(10_000_000).default(1000),
      queue: z.int().min(1).max(100_000).default(100),
      threads: z.int().min(1).max(256).default(4),
    })
    .optional(),
  gpu: z
    .strictObject({
      image: pinned,
      count: z.int().min(1).max(16).default(1),
      nodes: z
        .record(
          z.string().regex(LABEL_KEY, 'must be the key of a label'),
          z.string().regex(LABEL_VALUE, 'must be the value of a label'),
        )
        .optional(),
    })
    .optional(),
  grpc: z.boolean().optional(),
  metrics: z.enum(['serving', 'all']).optional(),
  networkPolicy: z.boolean().optional(),
  route: z.strictObject({ host: host.optional() }).optional(),
  ingress: z.strictObject({ host, class: objectName.optional(), tlsSecret: objectName }).optional(),
  gateway: z.strictObject({ host, name: objectName, namespace: objectName.optional() }).optional(),
  canary: z.strictObject({ weight: z.int().min(0).max(99) }).optional(),
});
type Written = z.infer<typeof servingSchema>;

const DOORS = ['route', 'ingress', 'gateway'] as const;

/** Of an environment, with every default filled in. `undefined` where there is no such thing. */
export type ServingSettings = {
  /** Without autoscaling. */
  readonly replicas: number;
  readonly autoscaling: { readonly min: number; readonly max: number; readonly cpu: number } | undefined;
  /** How long the model may take to load; undefined: by its size. */
  readonly loadSeconds: number | undefined;
  /** How long a request may take. */
  readonly timeoutSeconds: number;
  readonly resources: Resources;
  readonly batching:
    | { readonly size: number; readonly timeoutMicros: number; readonly queue: number; readonly threads: number }
    | undefined;
  readonly gpu:
    | { readonly image: string; readonly count: number; readonly nodes?: Readonly<Record<string, string>> }
    | undefined;
  readonly grpc: boolean;
  /** What Prometheus is led to: TensorFlow Serving alone, or the agents as well. */
  readonly metrics: 'serving' | 'all' | undefined;
  readonly networkPolicy: boolean;
  readonly door: Door | undefined;
  /** Share of the requests from outside, in percent, that a new version gets until it is approved again. */
  readonly canary: { readonly weight: number } | undefined;
};

/** The way in from outside the cluster. */
export type Door =
  | { readonly kind: 'route'; readonly host?: string }
  | { readonly kind: 'ingress'; readonly host: string; readonly class?: string; readonly tlsSecret: string }
  | { readonly kind: 'gateway'; readonly host: string; readonly name: string; readonly namespace?: string };

/**
 * The settings of one environment: what is written there goes before what is written for all. What excludes each other
 * replaces each other: an autoscaler of an environment ends the replicas of all, its route the ingress of all.
 */
export function servingIn(all: Written, own: Written = {}): ServingSettings {
  const inherited = { ...all };
  if (own.autoscaling !== undefined) delete inherited.replicas;
  if (own.replicas !== undefined) delete inherited.autoscaling;
  if (DOORS.some((kind) => own[kind] !== undefined)) for (const kind of DOORS) delete inherited[kind];
  const {
    replicas = 1,
    autoscaling,
    load,
    timeout = '30s',
    batching,
    gpu,
    canary,
    ...written
  } = { ...inherited, ...own };
  const { cpu = '100m', memory = '256Mi', memoryLimit = '2Gi' } = written.resources ?? {};
  return {
    replicas,
    autoscaling,
    loadSeconds: load === undefined ? undefined : durationMs(load) / 1000,
    timeoutSeconds: durationMs(timeout) / 1000,
    resources: { cpu, memory, memoryLimit },
    batching,
    gpu: gpu as ServingSettings['gpu'],
    grpc: written.grpc ?? false,
    metrics: written.metrics,
    networkPolicy: written.networkPolicy ?? true,
    door: doorOf(written),
    canary,
  };
}

function doorOf(written: Written): Door | undefined {
  for (const kind of DOORS) if (written[kind] !== undefined) return { kind, ...written[kind] } as Door;
  return undefined;
}

/** What is wrong in a section as it is written, sentences without their full stop; `at` names it. */
export function servingProblems(written: Written, at: string): string[] {
  const { replicas, autoscaling } = written;
  const problems: string[] = [];
  if (replicas !== undefined && autoscaling !== undefined)
    problems.push(`${at} has replicas and autoscaling, which would take each other's number back; give one of them`);
  if (autoscaling !== undefined && autoscaling.min > autoscaling.max)
    problems.push(
      `${at}.autoscaling has min ${autoscaling.min}${autoscaling.min === 2 ? ' (its default)' : ''} above max ${autoscaling.max}`,
    );
  const doors = DOORS.filter((kind) => written[kind] !== undefined);
  if (doors.length > 1) problems.push(`${at} has ${doors.join(' and ')}; one of them is the way in`);
  return problems;
}

/** So that the names beside it, with `-stable` and `-canary`, are still labels. */
const MOST_CANARY_NAME = 56;

/** What does not go together in an environment once all is put together. */
export function settingsProblems(
  settings: ServingSettings,
  at: string,
  { model, promotes }: { readonly model: string; readonly promotes: boolean },
): string[] {
  const { canary, door, autoscaling, resources } = settings;
  const problems = resourceProblems(resources, `${at}.resources`);
  if (canary === undefined) return problems;
  if (door?.kind !== 'route' && door?.kind !== 'gateway')
    problems.push(`${at}.canary needs a route or gateway that divides the requests; an ingress cannot`);
  if (autoscaling !== undefined)
    problems.push(
      `${at}.canary cannot be used with autoscaling: the version before would begin anew with few pods and all its requests; give replicas`,
    );
  if (model.length > MOST_CANARY_NAME)
    problems.push(`${at}.canary needs a model whose name has ${MOST_CANARY_NAME} characters or fewer`);
  if (promotes)
    problems.push(`${at}.canary cannot be used with promote: a version with a part of the requests has not soaked`);
  return problems;
}
