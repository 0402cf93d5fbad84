import type { Baseline } from '@fairway/core';
import type { ClientBase } from 'pg';
import type { Answering } from '../app/class-answer.ts';
import { type SegmentInput, segmentInputs } from '../metrics/segment-counts.ts';

type Version = { readonly model: string; readonly version: string };

/** What a version's labels are: a number, one of several classes, else an event that happens or not. */
export type Predicts = {
  readonly isNumber: boolean;
  readonly answering?: Answering;
  /** Inputs by which the version counts segments. */
  readonly segments: readonly SegmentInput[];
};

const LEVELS = `
select r.model, r.version, r.model_version->'target' as target,
  case when r.classes is not null then r.baseline->'classification' end as classification,
  case when r.baseline->'segments' is not null then r.baseline end as baseline
from unnest($1::text[], $2::text[]) as k (model, version)
join monitoring.model_references r on r.model = k.model and r.version = k.version`;

type Row = Version & { readonly target: Answering['target'] & { level?: string } } & {
  readonly classification: Answering['classification'] | null;
  readonly baseline: Baseline | null;
};

const ANY = `
select exists (
  select from monitoring.model_references where classes is not null or model_version->'target'->>'level' = 'interval'
) as "any"`;

const EVENTS: Predicts = { isNumber: false, segments: [] };

/** What versions predict, which never changes, so each is asked for once. One that nobody knows predicts events. */
export function modelTargets() {
  const known = new Map<string, Predicts>();
  const keyOf = ({ model, version }: Version) => `${version}\u0001${model}`;
  return {
    of: async (client: ClientBase, versions: readonly Version[]): Promise<(version: Version) => Predicts> => {
      const unknown = new Map(versions.map((each) => [keyOf(each), each] as const).filter(([key]) => !known.has(key)));
      if (unknown.size > 0) {
        const asked = [...unknown.values()];
        const values = [asked.map(({ model }) => model), asked.map(({ version }) => version)];
        for (const row of (await client.query<Row>(LEVELS, values)).rows) known.set(keyOf(row), predicts(row));
      }
      return (version) => known.get(keyOf(version)) ?? EVENTS;
    },
    /** Whether labels beyond 0 and 1 can be for any model. */
    any: async (client: ClientBase): Promise<boolean> =>
      (await client.query<{ any: boolean }>(ANY)).rows[0]?.any ?? false,
  };
}

function predicts({ target, classification, baseline }: Row): Predicts {
  const segments = baseline === null ? [] : segmentInputs(baseline);
  if (classification !== null) return { isNumber: false, answering: { target, classification }, segments };
  return { isNumber: target.level === 'interval', segments };
}
