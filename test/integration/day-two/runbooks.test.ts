import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../../packages/cli/src/commands/registry.ts';
import { migrate as migrateChanges } from '../../../packages/gitops-writer/src/store/migrate.ts';
import { migrate as migrateMonitoring } from '../../../packages/monitor/src/store/migrate.ts';
import { ROOT } from '../../guards/source.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';

type Command = ReturnType<Awaited<ReturnType<(typeof commands)[string]>>>;

/** What people copy, at night too. */
const PAGES = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.md'),
);
const text = (page: string): string => readFileSync(join(ROOT, 'docs', page), 'utf8');

/** Statements in blocks of SQL, and those that stand in a sentence. */
function statementsOf(page: string): string[] {
  const blocks = [...text(page).matchAll(/^```sql\n([^]*?)^```$/gm)].map(([, block = '']) => block);
  const inline = [...text(page).matchAll(/`((?:select|grant|update|delete|insert) [^`]+;)`/g)].map(
    ([, one = '']) => one,
  );
  return [...blocks, ...inline]
    .map((one) => one.replaceAll(/--.*$/gm, ''))
    .flatMap((one) => one.split(';'))
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

describe('the SQL of the docs', () => {
  let database: Awaited<ReturnType<typeof startPostgres>>;
  let pool: Pool;
  beforeAll(async () => {
    database = await startPostgres();
    pool = openTestPool(database.url);
    await migrateMonitoring(pool);
    await migrateChanges(pool);
  });
  afterAll(async () => {
    await pool.end();
    await database.stop();
  });

  const all = PAGES.flatMap((page) => statementsOf(page).map((one) => [page, one] as const));
  it('is found', () => expect(all.length).toBeGreaterThan(10));
  it.each(all)('%s: %s', async (_, statement) => {
    const filled = statement.replaceAll(/\bPID\b/g, '0').replaceAll(/\bUSER\b/g, 'current_user');
    const client = await pool.connect();
    try {
      await client.query('begin');
      await client.query(filled);
      await client.query('rollback');
    } finally {
      client.release(true);
    }
  });
});

/** Lines that call our command, without what a shell reads as a comment. */
const callsOf = (page: string): string[] =>
  [...text(page).matchAll(/(?:^|`|\s)(?:npx )?fairway ([a-z][^`\n|]*)/gm)]
    .map(([, call = '']) => call.replace(/\s#.*$/, '').trim())
    .filter((call) => (call.split(' ')[0] ?? '') in commands);

describe('the commands in the docs', () => {
  it.each(PAGES.filter((page) => callsOf(page).length > 0))('have the options that %s gives them', async (page) => {
    const problems: string[] = [];
    for (const call of callsOf(page)) {
      const words = call.split(/\s+/);
      const make = await commands[words[0] ?? '']?.();
      let command = make?.() as Command;
      for (const word of words.slice(1)) {
        const sub = command.commands.find((one) => one.name() === word);
        if (sub !== undefined) command = sub;
        const flag = /^(--?[a-z][a-z-]*)/.exec(word)?.[1];
        if (flag === undefined || ['--help', '-h'].includes(flag)) continue;
        if (!command.options.some((option) => option.long === flag || option.short === flag))
          problems.push(`fairway ${call}: no option ${flag}`);
      }
    }
    expect(problems).toEqual([]);
  });
});
