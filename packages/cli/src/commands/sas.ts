import { checkName, FairwayError } from '@fairway/core';
import type { SasTable } from '@fairway/monitor';
import { Command } from 'commander';
import { expectJson } from '../stack/http.ts';
import { oneCharacter } from './analyze.ts';
import { connection, DEFAULT_DIR } from './connection.ts';
import { printable } from './printable.ts';
import { type BaselineOptions, baselineText, sendBaseline } from './sas-baseline.ts';
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
  sas
    .command('baseline')
    .description('make the first table, from the scored training data: what SAS compares the periods with')
    .argument('<file>', 'CSV with a header: all inputs, the target and the outputs, under their declared names; UTF-8')
    .requiredOption('--model <name>', 'model, e.g. home-equity')
    .requiredOption('--version <version>', 'its version, e.g. 1')
    .requiredOption('-e, --environment <name>', 'environment whose periods it stands before, e.g. prod')
    .option('--prefix <letters>', 'begins the name, no underscore (default: SAS_TABLES_PREFIX of the monitor)')
    .option('--delimiter <char>', 'where it is not seen in the header: one character, or tab', oneCharacter)
    .option('--json', 'print as JSON', false)
    .option('--dir <folder>', 'folder of the running stack', DEFAULT_DIR)
    .action(baseline);
  return sas;
}

async function baseline(file: string, options: BaselineOptions & { json: boolean; dir: string }): Promise<void> {
  const made = await sendBaseline(file, monitorAt(options.dir), options);
  console.log(options.json ? JSON.stringify(made, undefined, 2) : baselineText(made));
}

function monitorAt(dir: string): { url: string; token: string } {
  const { monitor: url, monitorToken: token } = connection(dir, process.env);
  if (url !== undefined && token !== undefined) return { url, token };
  throw new FairwayError(
    'config.invalid',
    'SAS tables are made by the monitor: set FAIRWAY_MONITOR_URL and FAIRWAY_MONITOR_TOKEN.',
  );
}

async function tables({ model, prefix, json, dir }: Options): Promise<void> {
  const { url: monitor, token } = monitorAt(dir);
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
