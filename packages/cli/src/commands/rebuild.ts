import { Command } from 'commander';
import { expectJson } from '../stack/http.ts';
import { connection, DEFAULT_DIR } from './connection.ts';
import { table } from './table.ts';

type Report = { readonly restored: number; readonly skipped: ReadonlyArray<{ branch: string; reason: string }> };

/** Thousands of pull requests are read page by page within the forge's limits. */
const PATIENCE_MS = 30 * 60_000;

/** `fairway rebuild`: brings the writer's changes back from Git and the forge after its database is lost. */
export function rebuildCommand(): Command {
  return new Command('rebuild')
    .description(
      "bring the writer's changes back from Git and the forge alone, after the database is lost (role admin)",
    )
    .option('--json', 'print the report as JSON', false)
    .option('--dir <folder>', 'folder of the running stack', DEFAULT_DIR)
    .action(rebuild);
}

async function rebuild(options: { json: boolean; dir: string }): Promise<void> {
  const { writer, writerToken: token } = connection(options.dir, process.env);
  const report = await expectJson<Report>('The writer', `${writer}/v1/rebuild`, {
    token,
    body: {},
    timeoutMs: PATIENCE_MS,
  });
  if (options.json) return console.log(JSON.stringify(report, undefined, 2));
  const { restored, skipped } = report;
  console.log(`${restored === 1 ? '1 change' : `${restored} changes`} restored.`);
  if (skipped.length === 0) return;
  console.log('\nNot restored, because Git and the forge do not prove them:\n');
  console.log(
    table(
      skipped.map(({ branch, reason }) => [branch, reason]),
      '  ',
    ),
  );
}
