import { checkName, FairwayError } from '@fairway/core';
import type { SasTable } from '@fairway/monitor';
import { Command } from 'commander';
import { expectJson } from '../stack/http.ts';
import { connection, DEFAULT_DIR } from './connection.ts';
import { printable } from './printable.ts';
import { table } from './table.ts';

type Options = { readonly model: string; readonly prefix?: string; readonly json: boolean; readonly dir: string };
type Answer = { readonly new: readonly string[]; readonly tables: readonly SasTable[] };

/** A table takes as long as its rows take to be copied. */
const PATIENCE_MS = 30 * 60_000;

/** `fairway sas`: performance tables for SAS Model Manager. */
export function sasCommand(): Command {
  const sas = new Command('sas').description('performance tables for SAS Model Manager (docs/sas-tables.md)');
  sas
    .command('tables')
    .description('make the tables of closed, labelled periods that have none, and list all; none is ever replaced')
    .requiredOption('--model <name>', 'model, e.g. home-equity')
    .option('--prefix <letters>', 'begins the names, no underscore (default: SAS_TABLES_PREFIX of the monitor)')
    .option('--json', 'print as JSON', false)
    .option('--dir <folder>', 'folder of the running stack', DEFAULT_DIR)
    .action(tables);
  return sas;
}

async function tables({ model, prefix, json, dir }: Options): Promise<void> {
  const { monitor, monitorToken: token } = connection(dir, process.env);
  if (monitor === undefined || token === undefined) {
    throw new FairwayError(
      'config.invalid',
      'SAS tables are made by the monitor: set FAIRWAY_MONITOR_URL and FAIRWAY_MONITOR_TOKEN.',
    );
  }
  const url = `${monitor}/v1/models/${checkName('Model', model)}/sas-tables`;
  const body = prefix === undefined ? {} : { prefix };
  const answer = await expectJson<Answer>('The monitor', url, { token, body, timeoutMs: PATIENCE_MS });
  if (json) return console.log(JSON.stringify(answer, undefined, 2));
  if (answer.tables.length === 0) {
    return console.log(`No period of ${model} is closed and labelled as its policy asks, so there is no table yet.`);
  }
  const rows = answer.tables.map((one) => [
    one.name,
    one.sequence === 1 ? 'baseline' : '',
    one.environment,
    one.version,
    String(one.rows),
    String(one.labelled),
    answer.new.includes(one.name) ? 'new' : one.madeAt.slice(0, 10),
  ]);
  const header = ['table', '', 'environment', 'version', 'rows', 'labelled', 'made'];
  console.log(printableLines(table([header, ...rows])));
}

const printableLines = (text: string): string => text.split('\n').map(printable).join('\n');
