import { checkName, type Environment, FairwayError } from '@fairway/core';
import { z } from 'zod';
import { readPlain } from '../edit/plain.ts';
import type { SourceReference } from '../ports/model.ts';
import { captureProblems, captureSchema, captureSettings, type CaptureSettings } from './capture-settings.ts';
import { durationMs } from './duration.ts';
import {
  duration,
  durationUpTo,
  line,
  objectName,
  pinned,
  resourceProblems,
  type Resources,
  resourcesSchema,
} from './fields.ts';
import { environmentName, modelPath } from './paths.ts';
import {
  servingIn,
  servingProblems,
  servingSchema,
  type ServingSettings,
  settingsProblems,
} from './serving-settings.ts';

const environmentSchema = z.strictObject({
  name: z.string(),
  namespace: z.string(),
  merge: z.enum(['auto', 'review']),
  promote: z.strictObject({ after: duration }).optional(),
  reviewers: z.array(line(100)).max(20).optional(),
  serving: servingSchema.optional(),
});

/** `approves`: the environment for which a new champion is an approval; without it, approvals come by the API alone. */
const approves = z.string().optional();
const sourceSchema = z.discriminatedUnion('registry', [
  z.strictObject({ registry: z.literal('directory'), approves }),
  z
    .strictObject({
      registry: z.literal('sas'),
      project: line(200).optional(),
      projectId: z.uuid().optional(),
      archive: line(200),
      approves,
    })
    .refine(({ project, projectId }) => (project === undefined) !== (projectId === undefined), {
      error: 'needs project or projectId, one of them',
    }),
  z.strictObject({ registry: z.literal('mlflow'), name: line(250), alias: line(250).default('champion'), approves }),
]);

const schema = z.strictObject({
  apiVersion: z.literal('fairway.dev/v1'),
  kind: z.literal('Model'),
  name: z.string(),
  owner: line(200),
  source: sourceSchema,
  capture: captureSchema.prefault({}),
  serving: servingSchema.prefault({}),
  retrain: z
    .strictObject({
      image: pinned,
      gateMargin: z.number().min(0).max(1),
      gateZ: z.number().gt(0).max(10).optional(),
      deadline: durationUpTo('30d').default('6h'),
      resources: resourcesSchema.prefault({}),
      pullSecret: objectName.optional(),
    })
    .optional(),
  rollback: z.strictObject({ maxAge: duration.default('90d'), auto: z.boolean().default(true) }).prefault({}),
  // None is left when the last one has been retired.
  environments: z.array(environmentSchema).max(20),
});

export type RetrainSettings = {
  readonly image: string;
  readonly gateMargin: number;
  /** Standard errors of the difference by which the candidate must lie beyond chance; left out: the margin alone decides. */
  readonly gateZ?: number;
  readonly deadlineSeconds: number;
  readonly resources: Resources;
  readonly pullSecret?: string;
};

/** `model.yaml`: what people say about a model. */
export type ModelFile = {
  readonly name: string;
  readonly owner: string;
  readonly source: SourceReference;
  /** The environment for which a new champion of the registry is an approval. */
  readonly approves?: string;
  readonly capture: CaptureSettings;
  /** By environment. */
  readonly serving: Readonly<Record<string, ServingSettings>>;
  readonly retrain?: RetrainSettings;
  readonly rollback: {
    /** How long ago the state that is restored may have stopped serving, in ms. */
    readonly maxAgeMs: number;
    /** Whether a failed verification proposes the way back by itself. */
    readonly auto: boolean;
  };
  /** In the order of promotion. */
  readonly environments: readonly ModelEnvironment[];
};

/** `promoteAfterMs`: how long a version serves here before it is proposed for the next environment. */
export type ModelEnvironment = Environment & { readonly promoteAfterMs?: number };

/**
 * Reads `models/<model>/model.yaml`. Throws `model.invalid` with every problem in one sentence: broken YAML, duplicate
 * keys, anchors, unknown keys, wrong values, or names that do not agree with the folder.
 */
export function parseModelFile(model: string, text: string): ModelFile {
  const parsed = schema.safeParse(readYaml(model, text));
  if (!parsed.success) throw unusable(model, parsed.error.issues.map(sentence));
  const problems = disagreements(model, parsed.data);
  if (problems.length > 0) throw unusable(model, problems);
  const { name, owner, capture, serving, retrain, rollback, environments } = parsed.data;
  const { approves: approved, ...source } = parsed.data.source;
  return {
    name,
    owner,
    source,
    ...(approved === undefined ? {} : { approves: approved }),
    capture: captureSettings(capture),
    serving: Object.fromEntries(environments.map((one) => [one.name, servingIn(serving, one.serving)])),
    ...(retrain === undefined ? {} : { retrain: retrainSettings(retrain) }),
    rollback: { maxAgeMs: durationMs(rollback.maxAge), auto: rollback.auto },
    environments: environments.map((one) => modelEnvironment(model, one)),
  };
}

const modelEnvironment = (
  model: string,
  { name, namespace, merge, promote, reviewers }: Written['environments'][number],
): ModelEnvironment => ({
  name,
  namespace,
  merge,
  application: environmentName(model, name),
  ...(promote === undefined ? {} : { promoteAfterMs: durationMs(promote.after) }),
  ...(reviewers === undefined ? {} : { reviewers }),
});

/** The named environment of a model. Throws `environment.unknown` with the known ones. */
export function environmentOf(file: ModelFile, name: string): ModelEnvironment {
  const found = file.environments.find((environment) => environment.name === name);
  if (found !== undefined) return found;
  const known = file.environments.map((environment) => environment.name).join(', ');
  throw new FairwayError(
    'environment.unknown',
    `Model ${file.name} has no environment ${JSON.stringify(name)}; ${modelPath(file.name)} has: ${known || 'none any more'}.`,
  );
}

/** How a model is served in an environment that its file names. */
export function servingOf({ serving, name: model }: ModelFile, environment: string): ServingSettings {
  const found = serving[environment];
  if (found === undefined) throw new FairwayError('environment.unknown', `Model ${model} has no ${environment}.`);
  return found;
}

type Written = z.infer<typeof schema>;

function retrainSettings(written: NonNullable<Written['retrain']>): RetrainSettings {
  const { deadline, resources, pullSecret, gateZ, ...retrain } = written;
  const { cpu = '500m', memory = '512Mi', memoryLimit = '2Gi' } = resources;
  return {
    ...retrain,
    deadlineSeconds: durationMs(deadline) / 1000,
    resources: { cpu, memory, memoryLimit },
    ...(pullSecret === undefined ? {} : { pullSecret }),
    ...(gateZ === undefined ? {} : { gateZ }),
  };
}

/** How a model is retrained. Throws `model.invalid` where nobody has said. */
export function retrainOf({ name, retrain }: ModelFile): NonNullable<ModelFile['retrain']> {
  if (retrain !== undefined) return retrain;
  throw new FairwayError(
    'model.invalid',
    `${modelPath(name)} has no retrain section; add retrain.image and retrain.gateMargin to let Fairway retrain it.`,
  );
}

function readYaml(model: string, text: string): unknown {
  const read = readPlain(text);
  if ('problems' in read) throw unusable(model, read.problems);
  return read.value;
}

function disagreements(model: string, file: Written): string[] {
  const problems = [
    ...servingDisagreements(file),
    ...captureProblems(file.capture),
    ...retrainDisagreements(file.retrain),
  ];
  if (file.name !== model)
    problems.push(`name is ${JSON.stringify(file.name.slice(0, 70))} but the folder is ${JSON.stringify(model)}`);
  const names = file.environments.map(({ name }) => name);
  const { approves: approved } = file.source;
  if (approved !== undefined && !names.includes(approved))
    problems.push(`source.approves names ${JSON.stringify(approved)}, which is none of its environments`);
  for (const { name, namespace } of file.environments) {
    const bad = nameProblem(name);
    if (bad !== undefined) {
      problems.push(bad);
      continue;
    }
    const wanted = environmentName(model, name);
    if (namespace !== wanted)
      problems.push(`environment ${name} must use namespace ${wanted}, as its Application does`);
    if (wanted.length > 63) problems.push(`the namespace ${wanted} is longer than 63 characters; use shorter names`);
    if (names.indexOf(name) !== names.lastIndexOf(name)) problems.push(`environment ${name} is there twice`);
  }
  return [...new Set(problems)];
}

function servingDisagreements({ name: model, serving: all, environments }: Written): string[] {
  return [
    ...servingProblems(all, 'serving'),
    ...environments.flatMap(({ serving: own, promote }, i) => {
      const at = `environments[${i}].serving`;
      const written = own === undefined ? [] : servingProblems(own, at);
      return [...written, ...settingsProblems(servingIn(all, own), at, { model, promotes: promote !== undefined })];
    }),
  ];
}

function retrainDisagreements(retrain: Written['retrain']): string[] {
  return retrain === undefined ? [] : resourceProblems(retrainSettings(retrain).resources, 'retrain.resources');
}

function nameProblem(name: string): string | undefined {
  try {
    checkName('Environment', name);
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/\.$/, '');
  }
}

function sentence(issue: z.core.$ZodIssue): string {
  const at = issue.path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .slice(1);
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => JSON.stringify(key)).join(', ');
    return `${at === '' ? '' : `${at} has `}unknown key ${keys}`;
  }
  return at === '' ? issue.message : `${at}: ${issue.message}`;
}

const unusable = (model: string, problems: readonly string[]): FairwayError =>
  new FairwayError('model.invalid', `${modelPath(model)} is not usable: ${problems.join('; ')}.`, {
    detail: { problems },
  });
