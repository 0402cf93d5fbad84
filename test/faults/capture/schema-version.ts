import pg from 'pg';
import type { World } from './world.ts';

const TABLES = ['packs', 'pack_frames', 'prediction_rows', 'appended_counts'] as const;
const REMEMBER = `insert into monitoring.migrations (number) select max(number) + 1 from monitoring.migrations`;
const FORGET = `delete from monitoring.migrations where number = (select max(number) from monitoring.migrations)`;

/** Brings the schema to a later release's, which adds columns and takes nothing away; `takeBack` restores it. */
export async function migrateFurther({ database }: World): Promise<{ takeBack(): Promise<void> }> {
  const each = (change: string) => TABLES.map((table) => `alter table monitoring.${table} ${change}`);
  await change(database.url, [...each("add column later_release text default 'later'"), REMEMBER]);
  return { takeBack: () => change(database.url, [...each('drop column later_release'), FORGET]) };
}

async function change(connectionString: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    // One statement at a time: a lock on several of these tables would meet a recorder's the other way round.
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
