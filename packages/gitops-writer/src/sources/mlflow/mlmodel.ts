import { FairwayError } from '@fairway/core';
import type { MlflowSignature } from '@fairway/savedmodel';
import { parse } from 'yaml';
import { z } from 'zod';

/** What Fairway reads of a file `MLmodel` (https://mlflow.org/docs/latest/ml/model/). */
export type MlModel = {
  readonly flavors: Readonly<Record<string, Flavor>>;
  /** Undefined where the model was logged without one. */
  readonly signature: MlflowSignature | undefined;
};

const text = z.string().max(1_000).optional().catch(undefined);
const flavor = z.object({ data: text, saved_model_dir: text }).catch({});
type Flavor = z.output<typeof flavor>;

const FILE = z.object({
  flavors: z.record(z.string(), flavor).default({}),
  signature: z.object({ inputs: z.string().nullish(), outputs: z.string().nullish() }).nullish().catch(undefined),
});

/** Throws `model.invalid` for what is no MLmodel. `of`: the version, as sentences name it. */
export function readMlModel(yaml: string, of: string): MlModel {
  let value: unknown;
  try {
    value = parse(yaml, { schema: 'core', stringKeys: true });
  } catch (error) {
    throw broken(of, firstLine((error as Error).message));
  }
  const parsed = FILE.safeParse(value);
  if (!parsed.success) throw broken(of, `${parsed.error.issues[0]?.path.join('.') || 'it'} is not as MLflow writes it`);
  const { flavors, signature } = parsed.data;
  const { inputs, outputs } = signature ?? {};
  return {
    flavors,
    // A schema that is not there is null; of outputs alone nothing can be asked.
    signature: isGiven(inputs) ? { inputs, ...(isGiven(outputs) ? { outputs } : {}) } : undefined,
  };
}

const isGiven = (schema: string | null | undefined): schema is string =>
  schema !== undefined && schema !== null && schema !== '';

const firstLine = (message: string): string => message.split('\n')[0]?.slice(0, 200) ?? '';

const broken = (of: string, why: string): FairwayError =>
  new FairwayError('model.invalid', `The file MLmodel of ${of} cannot be used: ${why}; log the model again.`);
