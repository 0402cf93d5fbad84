import { z } from 'zod';
import { imageError } from './errors.ts';
import { isDigest } from './names.ts';

/** More than any manifest or image configuration needs; registries refuse manifests above 4 MiB (distribution-spec). */
export const MAX_JSON_BYTES = 4 * 2 ** 20;

const annotations = z.record(z.string(), z.string());
const platform = z.looseObject({ os: z.string(), architecture: z.string(), variant: z.string().optional() });
const descriptor = z.looseObject({
  mediaType: z.string(),
  digest: z.string().refine(isDigest, 'must be a sha256 digest'),
  size: z.int().min(0),
  platform: platform.optional(),
  annotations: annotations.optional(),
  artifactType: z.string().optional(),
});
export const imageManifest = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  config: descriptor,
  layers: z.array(descriptor),
  subject: descriptor.optional(),
  annotations: annotations.optional(),
});
export const imageIndex = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  manifests: z.array(descriptor),
  annotations: annotations.optional(),
});
/** Made once: to put the two together takes longer than to read a manifest by them. */
export const anyManifest = imageManifest.or(imageIndex);
export const imageConfig = z.looseObject({
  os: z.string().optional(),
  architecture: z.string().optional(),
  variant: z.string().optional(),
  config: z.looseObject({ Env: z.array(z.string()).nullish() }).nullish(),
  rootfs: z.looseObject({ type: z.literal('layers'), diff_ids: z.array(z.string()) }),
  history: z.array(z.unknown()).nullish(),
});
export type ImageManifest = z.infer<typeof imageManifest>;
export type ImageConfig = z.infer<typeof imageConfig>;

/** JSON bytes as `schema` has it; `what` begins the sentence when they are something else. */
export function parsed<T>(schema: z.ZodType<T>, bytes: Buffer, what: string): T {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw imageError(`${what} is no JSON; it must be written again.`);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw imageError(`${what} cannot be used: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trimEnd());
}
