import { FairwayError } from '@fairway/core';
import { z } from 'zod';
import { appendItem } from '../edit/append.ts';
import { readPlain } from '../edit/plain.ts';
import type { RepositoryFile } from '../ports.ts';
import { quarantinePath } from './paths.ts';

/** A model version that must not be deployed until somebody takes its entry away. */
export type QuarantineEntry = {
  readonly version: string;
  readonly digest: string;
  /** The change that had brought it. */
  readonly change: string;
  readonly reason: string;
  /** RFC 3339. */
  readonly since: string;
};

const entrySchema = z.strictObject({
  model: z.string(),
  version: z.string(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256:<64 hex digits>'),
  change: z.string().default('unknown'),
  reason: z.string().default('no reason given'),
  since: z.string().default('an unknown time'),
});
const schema = z.strictObject({
  apiVersion: z.literal('fairway.dev/v1'),
  kind: z.literal('Quarantine'),
  entries: z.array(entrySchema).nullable(),
});

/**
 * The entries of `models/<model>/quarantine.yaml`; none where there is no such file. Throws `model.invalid` with every
 * problem in one sentence: an unreadable quarantine lets nothing through.
 */
export function parseQuarantine(model: string, text: string | undefined): QuarantineEntry[] {
  if (text === undefined || text.trim() === '') return [];
  const read = readPlain(text);
  if ('problems' in read) throw unusable(model, read.problems);
  const parsed = schema.safeParse(read.value);
  if (!parsed.success)
    throw unusable(
      model,
      parsed.error.issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`)),
    );
  const foreign = parsed.data.entries?.find((entry) => entry.model !== model);
  if (foreign !== undefined)
    throw unusable(model, [`it has an entry of model ${JSON.stringify(foreign.model.slice(0, 70))}`]);
  return (parsed.data.entries ?? []).map(({ version, digest, change, reason, since }) => ({
    version,
    digest,
    change,
    reason,
    since,
  }));
}

/** The file with one more entry, every other byte as it was; nothing when the digest has an entry already. */
export function withEntry(model: string, text: string | undefined, entry: QuarantineEntry): RepositoryFile | undefined {
  if (parseQuarantine(model, text).some(({ digest }) => digest === entry.digest)) return undefined;
  const path = quarantinePath(model);
  const item = { model, ...entry };
  const before = text === undefined || text.trim() === '' ? BEGUN : text;
  return { path, text: appendItem({ path, text: before }, ENTRIES, item) };
}

const ENTRIES = { path: ['entries'] };
const BEGUN = `# Model versions that were rolled back. None of them is deployed or promoted while its entry is here.
# To lift one, merge a pull request that removes its entry, then approve the version again under a new event id.
apiVersion: fairway.dev/v1
kind: Quarantine
entries:
`;

/** How somebody gets a version out of quarantine. */
export const howToLift = (model: string): string =>
  `to lift that, merge a pull request that removes its entry from ${quarantinePath(model)}, then approve it again under a new event id`;

const unusable = (model: string, problems: readonly string[]): FairwayError =>
  new FairwayError('model.invalid', `${quarantinePath(model)} is not usable: ${problems.join('; ')}.`, {
    detail: { problems },
  });
