import { checkName, checkVersion, FairwayError, type ModelVersion, readEnv, systemClock } from '@fairway/core';
import {
  beforeLeaving,
  type Mapping,
  openPackQueue,
  readTimeMapping,
  REDACTION_ENVIRONMENT,
  TIMES,
} from '@fairway/log-sidecar';
import { Command } from 'commander';
import { expectJson } from '../stack/http.ts';
import { oneCharacter } from './analyze.ts';
import { type Connection, connection, DEFAULT_DIR } from './connection.ts';
import { type Checked, checkFile, firstRecord, type OnProgress, requireUsable } from './import-check.ts';
import { foundLines, progressOn, sentLines } from './import-report.ts';
import { epochAccount, type Ports, sendLabels, sendRows } from './import-send.ts';
import { printable } from './printable.ts';

type Options = {
  readonly model: string;
  readonly version: string;
  readonly environment: string;
  readonly time: string;
  readonly score: string;
  readonly label?: string;
  readonly delimiter?: string;
  readonly queue?: string;
  readonly queuePrefix?: string;
  readonly dryRun: boolean;
  readonly dir: string;
};

/** `fairway import`: scored history as if the agent had seen it. */
export function importCommand(): Command {
  return new Command('import')
    .description('bring scored history (CSV or JSON Lines) to the recorder; the same file again changes nothing')
    .argument('<file...>', 'CSV with a header, or JSON Lines; UTF-8')
    .requiredOption('--model <name>', 'model that scored, e.g. home-equity')
    .requiredOption('--version <version>', 'its version, e.g. 1')
    .requiredOption('-e, --environment <name>', 'environment it served in, e.g. prod')
    .requiredOption(
      '--time <column|from..to>',
      `column of the business time: ${TIMES}; or a period to spread rows over`,
    )
    .requiredOption('--score <column>', 'column of the probability that the model gave')
    .option('--label <column>', 'column of the true outcome: 0, 1, or the event of the model; empty where not known')
    .option('--delimiter <char>', 'of a CSV, where it is not seen in the header: one character, or tab', oneCharacter)
    .option('--queue <url>', 'queue of the recorder (default: FAIRWAY_QUEUE_URL, else that of the running stack)')
    .option('--queue-prefix <name>', 'its key prefix or schema (default: FAIRWAY_QUEUE_PREFIX, else fairway)')
    .option('--dry-run', 'read and check everything, print what would be sent, send nothing', false)
    .option('--dir <folder>', 'folder of the running stack', DEFAULT_DIR)
    .action(importFiles);
}

async function importFiles(files: readonly string[], options: Options): Promise<void> {
  const at = connection(options.dir, process.env);
  const mapping = await readMapping(at, options);
  const prepare = beforeLeaving(readEnv(process.env, REDACTION_ENVIRONMENT));
  const progress = progressOn(process.stderr, process.env);
  const checked: Checked[] = [];
  for (const file of new Set(files)) {
    const one = await checkFile(file, options.delimiter, mapping, { prepare, onProgress: progress });
    progress('', 0, 0);
    if (options.dryRun) await printDry(one);
    else requireUsable(one);
    checked.push(one);
  }
  if (!options.dryRun) await sendAll(checked, at, options, progress);
}

async function readMapping(at: Connection, options: Options): Promise<Mapping> {
  const model = checkName('Model', options.model);
  const version = checkVersion(options.version);
  const environment = checkName('Environment', options.environment);
  const time = readTimeMapping(options.time);
  const url = `${at.writer}/v1/models/${model}/versions/${version}`;
  const { modelVersion } = await expectJson<{ modelVersion: ModelVersion }>('The writer', url, {
    token: at.writerToken,
  });
  await requireEnvironment(at, model, environment);
  const { score, label } = options;
  return { modelVersion, environment, time, score, ...(label === undefined ? {} : { label }) };
}

type Models = {
  readonly models: ReadonlyArray<{
    readonly model: string;
    readonly environments: ReadonlyArray<{ readonly name: string }>;
  }>;
};

/** What is stored stays: a misspelt environment would be one more for ever. A model that is in Git no longer may have had any. */
async function requireEnvironment(at: Connection, model: string, environment: string): Promise<void> {
  const { models } = await expectJson<Models>('The writer', `${at.writer}/v1/models`, { token: at.writerToken });
  const known = models.find((one) => one.model === model)?.environments.map(({ name }) => name);
  if (known === undefined || known.includes(environment)) return;
  const sentence = `${model} has no environment ${JSON.stringify(environment)} in its model.yaml`;
  throw new FairwayError(
    'input.invalid',
    `${sentence}: there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}.`,
  );
}

async function printDry(checked: Checked): Promise<void> {
  for (const line of foundLines(checked)) console.log(line);
  console.log(printable(`  first   ${await firstRecord(checked.history)}`));
  console.log('  Nothing was sent (--dry-run).');
}

async function sendAll(
  checked: readonly Checked[],
  at: Connection,
  options: Options,
  progress: OnProgress,
): Promise<void> {
  const { recorder, monitorToken: token } = at;
  if (recorder === undefined || token === undefined) {
    throw new FairwayError(
      'config.invalid',
      'The recorder is not known: set FAIRWAY_RECORDER_URL and FAIRWAY_MONITOR_TOKEN.',
    );
  }
  const place = queueOf(at, options);
  const queue = await openPackQueue(place.url, place.prefix);
  const ports: Ports = { queue, queueUrl: place.url, recorder, token, clock: systemClock };
  try {
    for (const one of checked) await sendOne(one, ports, progress);
  } finally {
    await queue.close();
  }
}

/** `--queue`, else the environment's, else the running stack's. */
function queueOf({ queue }: Connection, { queue: url = queue?.url, queuePrefix }: Options) {
  if (url === undefined) {
    throw new FairwayError('config.invalid', 'The queue is not known: give --queue, or set FAIRWAY_QUEUE_URL.');
  }
  if (!/^(?:rediss?|postgres(?:ql)?):\/\//.test(url) || !URL.canParse(url)) {
    throw new FairwayError('config.invalid', 'The queue must be a redis://, rediss:// or postgres:// URL.');
  }
  const prefix = queuePrefix ?? queue?.prefix ?? 'fairway';
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(prefix)) return { url, prefix };
  throw new FairwayError(
    'config.invalid',
    'The prefix of the queue must be 1 to 63 lower-case letters, digits and underscores, not starting with a digit.',
  );
}

async function sendOne(checked: Checked, ports: Ports, progress: OnProgress): Promise<void> {
  const { history, labels } = checked;
  const before = await epochAccount(ports, history.epoch);
  const after = await sendRows(history, ports, progress);
  const joined = labels === 0 ? undefined : await sendLabels(history, labels, ports, progress);
  progress('', 0, 0);
  for (const line of [...foundLines(checked), ...sentLines({ before, after }, joined)]) console.log(line);
  if (after.stored === after.sent) return;
  throw new FairwayError(
    'pack.invalid',
    `${history.source.file}: ${after.sent - after.stored} predictions are not stored and ${after.quarantined} calls are in quarantine; see the recorder's log.`,
  );
}
