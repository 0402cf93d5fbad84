import { checkName, FairwayError } from '@fairway/core';
import type { StoredWindows } from '@fairway/monitor';
import { Command } from 'commander';
import { expectJson } from '../stack/http.ts';
import { connection, DEFAULT_DIR } from './connection.ts';
import { wholeNumber } from './numbers.ts';
import { windowsText } from './windows-text.ts';

type Options = {
  readonly model: string;
  readonly environment?: string;
  readonly every?: string;
  readonly last: number;
  readonly json: boolean;
  readonly dir: string;
};

/** A thousand windows of ten thousand score groups each. */
const PATIENCE_MS = 300_000;

/** `fairway windows`: what `fairway analyze` says of files, for the windows that the monitor has counted. */
export function windowsCommand(): Command {
  return new Command('windows')
    .description('show the figures and verdicts of the stored windows of a model, from their counts')
    .requiredOption('--model <name>', 'model, e.g. home-equity')
    .option('--environment <name>', 'of this environment alone')
    .option('--every <period>', 'hour, day, week, month or quarter (default: the period of its policy, else month)')
    .option('--last <n>', 'so many windows, the newest', wholeNumber, 24)
    .option('--json', 'print all figures as JSON', false)
    .option('--dir <folder>', 'folder of the running stack', DEFAULT_DIR)
    .action(windows);
}

async function windows({ model, environment, every, last, json, dir }: Options): Promise<void> {
  const { monitor, monitorToken: token } = connection(dir, process.env);
  if (monitor === undefined || token === undefined) {
    throw new FairwayError(
      'config.invalid',
      'Windows are kept by the monitor: set FAIRWAY_MONITOR_URL and FAIRWAY_MONITOR_TOKEN.',
    );
  }
  const query = new URLSearchParams({
    last: String(last),
    ...(environment === undefined ? {} : { environment: checkName('Environment', environment) }),
    ...(every === undefined ? {} : { every }),
  });
  const url = `${monitor}/v1/models/${checkName('Model', model)}/windows?${query.toString()}`;
  const found = await expectJson<StoredWindows>('The monitor', url, { token, timeoutMs: PATIENCE_MS });
  if (json) return console.log(JSON.stringify(found, undefined, 2));
  console.log(found.windows.length === 0 ? `No predictions of ${model} are counted yet.` : windowsText(found.windows));
}
