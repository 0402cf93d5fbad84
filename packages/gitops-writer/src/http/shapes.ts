import { LIVENESS_STATES, PHASES } from '@fairway/core';
import { z } from 'zod';
import { named } from './fields.ts';

/** What the API answers. Tests hold real answers of a running writer against these; nothing is checked at run time. */

export const CHANNELS = ['teams', 'webhook', 'monitor', 'answer'] as const;
export const KINDS = ['deploy', 'retrain', 'rollback', 'retire'] as const;

const text = z.string();
const time = z.iso.datetime();

const pullRequest = named(
  'PullRequest',
  z.strictObject({
    number: z.int(),
    url: text,
    state: z.enum(['open', 'merged', 'closed']),
    headSha: text,
    mergeCommit: text.optional(),
  }),
);

export const liveness = named('Liveness', z.strictObject({ state: z.enum(LIVENESS_STATES), reason: text, at: time }));

export const change = named(
  'Change',
  z.strictObject({
    id: text,
    kind: z.enum(KINDS),
    model: text,
    version: text,
    environment: text,
    digest: text.optional(),
    phase: z.enum(PHASES),
    reason: text.optional(),
    branch: text,
    pullRequest: pullRequest.optional(),
    image: text.optional(),
    liveness: liveness.optional(),
    actor: text,
    createdAt: time,
    updatedAt: time,
    history: z.array(z.strictObject({ phase: z.enum(PHASES), at: time, reason: text.optional() })),
  }),
);

const modelEnvironment = z.looseObject({
  name: text,
  namespace: text,
  merge: z.enum(['review', 'auto']),
  live: z.strictObject({ version: text, digest: text, changeId: text, since: time }).optional(),
});

/** What the last look at the registry found. */
const champion = named(
  'Champion',
  z.strictObject({
    state: z.enum(['champion', 'none', 'unreadable']),
    version: text.optional(),
    label: text.optional(),
    actor: text.optional(),
    since: time,
    /** What came of it. */
    outcome: text.optional(),
    change: text.optional(),
    /** Why it cannot be read. */
    problem: text.optional(),
    /** The one before, taken back. */
    withdrawn: z.strictObject({ version: text, at: time }).optional(),
    lookedAt: time,
  }),
);

export const modelSummary = named(
  'ModelSummary',
  z.strictObject({
    model: text,
    owner: text,
    environments: z.array(modelEnvironment),
    /** Kind of the registry. */
    source: text,
    /** The environment for which a champion is an approval. */
    approves: text.optional(),
    champion: champion.optional(),
  }),
);

const registered = z.strictObject({ version: text, label: text.optional(), at: text.optional() });
export const modelSource = named(
  'ModelSource',
  z.strictObject({
    model: text,
    source: z.looseObject({ registry: text }),
    approves: text.optional(),
    problems: z.array(text),
    champion: registered.extend({ actor: text.optional() }).optional(),
    versions: z.array(registered),
  }),
);

export const hookDelivery = named(
  'HookDelivery',
  z.strictObject({
    id: text,
    registry: z.enum(['directory', 'sas', 'mlflow']),
    state: z.enum(['received', 'done', 'unverified', 'failed']),
    receivedAt: time,
    attempts: z.int(),
    reason: text.optional(),
    change: text.optional(),
    claim: z.looseObject({ names: z.record(text, text), decision: text, via: text }),
  }),
);

const quarantined = z.strictObject({ version: text, digest: text, change: text, reason: text, since: text });
export const quarantine = named('Quarantine', z.strictObject({ entries: z.array(quarantined), howToLift: text }));

/** As committed, by this writer or by one before it: fields may be more. */
export const deployedVersion = named(
  'DeployedVersion',
  z.strictObject({
    modelVersion: z.looseObject({
      model: text,
      version: text,
      digest: text,
      signature: z.looseObject({ name: text, method: text }),
      variables: z.array(z.looseObject({ name: text, type: text, role: text })),
      target: z.looseObject({ variable: text, event: text, probability: text }),
      metrics: z.record(text, z.number()),
      origin: text,
    }),
    baseline: z.looseObject({
      definition: z.literal(1),
      model: text,
      version: text,
      rows: z.int(),
      events: z.int(),
      variables: z.array(z.looseObject({ kind: z.enum(['numeric', 'category']), name: text })),
    }),
  }),
);

export const notification = named(
  'Notification',
  z.strictObject({
    deliveryId: text,
    channel: z.enum(CHANNELS),
    event: text,
    title: text,
    at: time,
    state: z.enum(['pending', 'accepted', 'dead']),
    attempts: z.int(),
    reason: text.optional(),
    link: text.optional(),
  }),
);

export const problem = named(
  'Problem',
  z.strictObject({
    type: z.literal('about:blank'),
    title: text,
    status: z.int(),
    /** A sentence: what is wrong, and how to mend it. */
    detail: text,
    code: text,
  }),
);
