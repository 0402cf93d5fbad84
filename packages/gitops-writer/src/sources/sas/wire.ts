import { z } from 'zod';

/**
 * What is read of SAS's resources, and nothing else. Viya 3.5 and later releases differ: fields are missing or empty there,
 * null here, and unknown ones are many, so only ids and names are asked for.
 */
const text = z.string().nullish();
/** Null of 2023.10 for the empty list of 3.5. */
const listOf = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((list) => list ?? []);
const id = z.string().min(1).max(200);

const link = z.looseObject({ rel: text, method: text, href: text, uri: text });
export const links = listOf(link);

const variable = z.looseObject({
  name: z.string().min(1).max(500),
  role: text,
  type: text,
  level: text,
  length: z.number().nullish(),
});
export type SasVariable = z.infer<typeof variable>;

const project = {
  id,
  name: z.string(),
  function: text,
  targetVariable: text,
  targetLevel: text,
  targetEventValue: z.union([z.string(), z.number()]).nullish(),
  eventProbabilityVariable: text,
  predictionVariable: text,
};
export const projectSchema = z.looseObject({ ...project, variables: listOf(variable) });
export type SasProject = z.infer<typeof projectSchema>;

const property = z.looseObject({ name: z.string(), value: z.unknown(), type: text });
export const modelSchema = z.looseObject({
  id,
  name: z.string(),
  projectId: text,
  modelVersionName: text,
  immutable: z.boolean().nullish(),
  creationTimeStamp: text,
  modifiedTimeStamp: text,
  modifiedBy: text,
  championStartTime: text,
  function: text,
  algorithm: text,
  tool: text,
  targetVariable: text,
  targetLevel: text,
  targetEvent: z.union([z.string(), z.number()]).nullish(),
  eventProbVar: text,
  inputVariables: listOf(variable),
  outputVariables: listOf(variable),
  properties: listOf(property),
});
export type SasModel = z.infer<typeof modelSchema>;

export const contentSchema = z.looseObject({
  id,
  name: z.string(),
  fileUri: text,
  modifiedTimeStamp: text,
  links,
});
export type SasContent = z.infer<typeof contentSchema>;

export const processSchema = z.looseObject({
  id,
  state: text,
  associations: listOf(z.looseObject({ solutionObjectId: text })),
});
export const publishSchema = z.looseObject({
  id,
  name: text,
  modelId: text,
  state: text,
  modifiedTimeStamp: text,
});
export type SasPublish = z.infer<typeof publishSchema>;

/** Of a time stamp with 0 to 6 digits of a fraction, ms; undefined when it is not set, as Go's zero time is not. */
export function instant(stamp: string | null | undefined): number | undefined {
  const at = Date.parse(stamp ?? '');
  return Number.isNaN(at) || (stamp ?? '').startsWith('0001-01-01') ? undefined : at;
}

/** `timed out` and `timedOut` have both been a state's name, in two releases of one service. */
export const stateOf = (state: string | null | undefined): string =>
  (state ?? '').toLowerCase().replaceAll(/[\s_-]/g, '');
