import { hashFields } from '@fairway/core';
import type { ExchangeRow } from '../ports.ts';
import { type Ask, textArray } from './batch.ts';

type Stream = Pick<ExchangeRow, 'model' | 'version' | 'versionSource' | 'environment'>;

/** In the pack's own transaction: whatever a database is restored to, a row has its stream. By id, so that two packs wait in one order. */
const KEEP_STREAMS = `
insert into monitoring.streams (id, model, version, version_source, environment)
select * from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[]) order by 1
on conflict (id) do nothing`;

/** `monitoring.stream_id`: 52 bits of a hash, a whole number that a double holds. NaN: PostgreSQL takes no such text. */
function streamId({ model, version, versionSource, environment }: Stream): number {
  const fields = [model, version, versionSource, environment];
  const isText = fields.every((field) => typeof field === 'string' && !field.includes('\0'));
  return isText ? Number.parseInt(hashFields(fields).slice(0, 13), 16) : Number.NaN;
}

const isSame = (a: Stream, b: Stream): boolean =>
  a.model === b.model &&
  a.version === b.version &&
  a.versionSource === b.versionSource &&
  a.environment === b.environment;

/** What stores the streams of these exchanges, and the id of each exchange's own. Most exchanges of a pack are of one stream. */
export function streamsOf(exchanges: readonly Stream[]): {
  readonly keep: Ask;
  readonly idOf: (one: Stream) => number;
} {
  const known: Array<readonly [stream: Stream, id: number]> = [];
  let last: (typeof known)[number] | undefined;
  const find = (one: Stream) => {
    if (last === undefined || !isSame(last[0], one)) last = known.find(([stream]) => isSame(stream, one));
    return last;
  };
  for (const one of exchanges) if (find(one) === undefined) known.push([one, streamId(one)]);
  const fit = known.filter(([, id]) => !Number.isNaN(id));
  const values = [
    `{${fit.map(([, id]) => id).join(',')}}`,
    ...(['model', 'version', 'versionSource', 'environment'] as const).map((key) =>
      textArray(fit.map(([stream]) => stream[key])),
    ),
  ];
  const keep = { name: 'keep-streams', text: KEEP_STREAMS, values };
  return { keep, idOf: (one) => find(one)?.[1] ?? Number.NaN };
}
