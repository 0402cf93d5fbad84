import type { ClientBase } from 'pg';
import { nameKey } from '../app/class-answer.ts';

/** Of a label that is the key of a name, beside `label`. */
export const NAME_OF_LABEL = `(select name from monitoring.class_names n where n.key = label) as name`;

const ADD = `
insert into monitoring.class_names (name) select distinct name from unnest($1::text[]) as g (name) order by name
on conflict (name) do nothing`;

const KEYS = 'select name, number::float8 as number from monitoring.class_names where name = any($1)';

/** Names of classes as labels: a label is a number, and that of a name is the name's key. The same name has the same key for good. */
export async function keysOfNames(client: ClientBase, names: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (names.length === 0) return new Map();
  await client.query(ADD, [names]);
  const { rows } = await client.query<{ name: string; number: number }>(KEYS, [names]);
  return new Map(rows.map(({ name, number }) => [name, nameKey(number)]));
}
