import { z } from 'zod';
import { DURATION, durationMs } from './duration.ts';

// oxlint-disable-next-line no-control-regex
const ONE_LINE = /^[^\u0000-\u001f\u007f\u2028\u2029]+$/;
export const line = (max: number) => z.string().min(1).max(max).regex(ONE_LINE, 'must be one line');
export const duration = z.string().regex(DURATION, 'must be a duration such as 24h, 90d, 15m or 30s');
/** Kubernetes and TensorFlow Serving count in 32 bits. */
export const durationUpTo = (most: string) =>
  duration.refine((text) => !DURATION.test(text) || durationMs(text) <= durationMs(most), `must be ${most} at most`);

/** An image that nobody can change: `name@sha256:<64 hex digits>`. */
export const pinned = z
  .string()
  .regex(
    /^[\w.-]+(:\d+)?(\/[\w.-]+)*(:[\w.-]+)?@sha256:[0-9a-f]{64}$/,
    'must be pinned by digest: name@sha256:<64 hex digits>',
  );

export const objectName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be 1 to 63 lower-case letters, digits and hyphens');

const memory = z.string().regex(/^[1-9]\d{0,6}(Mi|Gi)$/, 'must be an amount such as 512Mi or 2Gi');

/** What a container asks for and may use at most. There is no CPU limit: it would only slow answers down. */
export const resourcesSchema = z.strictObject({
  cpu: z
    .string()
    .regex(/^([1-9]\d{0,5}m|[1-9]\d{0,2}(\.\d)?)$/, 'must be an amount such as 500m, 2 or 1.5')
    .optional(),
  memory: memory.optional(),
  memoryLimit: memory.optional(),
});
export type Resources = { readonly cpu: string; readonly memory: string; readonly memoryLimit: string };

/** As a container of Kubernetes has them. */
export const resourcesOf = ({ cpu, memory: asked, memoryLimit }: Resources) => ({
  requests: { cpu, memory: asked },
  limits: { memory: memoryLimit },
});

/** A container that asks for more than it may use is never started. */
export function resourceProblems({ memory: asked, memoryLimit }: Resources, at: string): string[] {
  if (mebibytes(asked) <= mebibytes(memoryLimit)) return [];
  return [`${at} asks for memory ${asked}, which is above memoryLimit ${memoryLimit}`];
}

const mebibytes = (amount: string): number => Number.parseInt(amount, 10) * (amount.endsWith('Gi') ? 1024 : 1);
