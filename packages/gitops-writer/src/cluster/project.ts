import { z } from 'zod';
import type { SyncWindow } from '../ports.ts';

const patterns = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);
const window = z.object({
  kind: z.enum(['allow', 'deny']),
  schedule: z.string(),
  duration: z.string(),
  timeZone: z.string().optional(),
  manualSync: z.boolean().default(false),
  applications: patterns,
  namespaces: patterns,
  clusters: patterns,
  andOperator: z.boolean().default(false),
});
const schema = z.object({ spec: z.object({ syncWindows: z.array(z.unknown()).nullish() }) });

/** The sync windows of an `argoproj.io/v1alpha1` AppProject; one of another form is left out. */
export function toSyncWindows(object: unknown): SyncWindow[] {
  const parsed = schema.safeParse(object);
  const windows = parsed.success ? (parsed.data.spec.syncWindows ?? []) : [];
  return windows.flatMap((raw) => {
    const { success, data } = window.safeParse(raw);
    if (!success) return [];
    const { timeZone, ...rest } = data;
    return [{ ...rest, ...(timeZone === undefined || timeZone === '' ? {} : { timeZone }) }];
  });
}
