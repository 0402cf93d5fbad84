import { z } from 'zod';

// What the server writes is protocol buffers as JSON: fields that are empty are left out, and 64 bit numbers may be text.
const millis = z.coerce.number().int().nonnegative().optional().catch(undefined);
const line = (max: number) => z.string().max(max);
const tags = z
  .array(z.object({ key: line(250), value: line(100_000).default('') }))
  .max(10_000)
  .default([]);

const modelVersion = z.object({
  name: line(300),
  version: z.coerce.string().max(20),
  creation_timestamp: millis,
  last_updated_timestamp: millis,
  current_stage: line(100).optional(),
  source: line(10_000).optional(),
  run_id: line(200).optional(),
  model_id: line(200).optional(),
  // A server that has no states for versions (2.x on files) says nothing.
  status: line(100).default('READY'),
  status_message: line(10_000).optional(),
  tags,
});

/** A version of a registered model. `source`: what was registered, not where the files are. */
export type MlflowVersion = z.output<typeof modelVersion>;

export const ONE_VERSION = z.object({ model_version: modelVersion });
export const VERSIONS = z.object({
  model_versions: z.array(modelVersion).default([]),
  next_page_token: line(10_000).optional(),
});

const registeredModel = z.object({ name: line(300), tags });
export const ONE_MODEL = z.object({ registered_model: registeredModel });
export const MODELS = z.object({
  registered_models: z.array(registeredModel).default([]),
  next_page_token: line(10_000).optional(),
});

export const DOWNLOAD_URI = z.object({ artifact_uri: line(10_000).min(1) });
export const RUN = z.object({ run: z.object({ info: z.object({ artifact_uri: line(10_000).min(1) }) }) });
export const LOGGED_MODEL = z.object({
  model: z.object({ info: z.object({ artifact_uri: line(10_000).min(1) }) }),
});
export const FILES = z.object({
  files: z
    .array(z.object({ path: line(5_000), is_dir: z.boolean().default(false), file_size: millis }))
    .max(100_000)
    .default([]),
});

/** `{error_code, message}`, with any status. */
export const REFUSAL = z.object({ error_code: line(200).min(1), message: z.string().default('') });
