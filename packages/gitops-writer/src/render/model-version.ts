import type { ModelVersion } from '@fairway/core';
import { z } from 'zod';

const tensor = z.looseObject({ name: z.string(), dtype: z.string(), shape: z.array(z.number()) });
const schema = z.looseObject({
  model: z.string(),
  version: z.string(),
  digest: z.string(),
  signature: z.looseObject({
    name: z.string(),
    method: z.string(),
    inputs: z.array(tensor),
    outputs: z.array(tensor),
  }),
  variables: z.array(
    z.looseObject({
      name: z.string(),
      type: z.string(),
      role: z.enum(['input', 'output']),
      length: z.number().optional(),
    }),
  ),
  target: z.looseObject({ variable: z.string(), event: z.string(), probability: z.string() }),
  metrics: z.record(z.string(), z.number()),
  origin: z.string(),
  trainedAt: z.string().optional(),
  bytes: z.number().optional(),
});

/** The model version that a `modelversion.json` tells; undefined when it is not one that Fairway wrote. */
export function readModelVersion(text: string): ModelVersion | undefined {
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? (parsed.data as unknown as ModelVersion) : undefined;
  } catch {
    return undefined;
  }
}
