import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { checkName, FairwayError, urlOrigin } from '@fairway/core';
import { Command } from 'commander';
import { whyNoAnswer } from '../stack/http.ts';
import { connection, DEFAULT_DIR } from './connection.ts';
import { type Done, type HourLine, profilesText } from './profiles-text.ts';

type Options = { model: string; from?: string; to?: string; verify: boolean; json: boolean; dir: string };

type Line = HourLine | { readonly done: Done } | { readonly failed: string };

/** Hours that are shown one by one; their differences are all counted. */
const SHOWN = 1000;

/** `fairway profiles`: what is counted of predictions, against the predictions themselves. */
export function profilesCommand(): Command {
  const profiles = new Command('profiles').description('counts of the predictions of a model');
  profiles
    .command('rebuild')
    .description('count the stored predictions again, and mend counts that differ; safe while predictions are recorded')
    .requiredOption('--model <name>', 'model, e.g. home-equity')
    .option('--from <time>', 'hours from then on, such as 2026-11-01 (default: all that retention keeps)')
    .option('--to <time>', 'hours before then')
    .option('--verify', 'mend nothing; exit code 1 when any count differs, or cannot be compared', false)
    .option('--json', 'print as JSON', false)
    .option('--dir <folder>', 'folder of the running stack', DEFAULT_DIR)
    .action(rebuild);
  return profiles;
}

async function rebuild({ json, dir, ...asked }: Options): Promise<void> {
  const { recorder, monitorToken: token } = connection(dir, process.env);
  if (recorder === undefined || token === undefined) {
    throw new FairwayError(
      'config.invalid',
      'Counts are kept by the recorder: set FAIRWAY_RECORDER_URL and FAIRWAY_MONITOR_TOKEN.',
    );
  }
  const { model, from, to, verify } = asked;
  const body = { verify, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  const url = `${recorder}/v1/models/${checkName('Model', model)}/profiles/rebuild`;
  const hours: HourLine[] = [];
  let done: Done | undefined;
  for await (const line of linesOf(url, token, body)) {
    if ('failed' in line) throw new FairwayError('stack.failed', line.failed);
    if ('done' in line) ({ done } = line);
    else if (hours.length < SHOWN) hours.push(line);
  }
  if (done === undefined) {
    throw new FairwayError('stack.failed', 'The recorder ended before it was done: run the same command again.');
  }
  if (json) console.log(JSON.stringify({ ...done, differing: hours }, undefined, 2));
  else console.log(profilesText(hours, done, verify));
  if (verify && done.differences + done.kept > 0) process.exitCode = 1;
}

/** The lines of an NDJSON answer as they come; a rebuild takes as long as there are rows. */
async function* linesOf(url: string, token: string, body: object): AsyncGenerator<Line> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) }).catch((error: Error) => {
    const sentence = `The recorder at ${urlOrigin(url)} does not answer: ${whyNoAnswer(error)}`;
    throw new FairwayError('stack.failed', sentence);
  });
  if (!answer.ok || answer.body === null) {
    const { detail } = (await answer.json().catch(() => ({}))) as { detail?: string };
    throw new FairwayError('input.invalid', detail ?? `The recorder answered ${answer.status}.`);
  }
  for await (const line of createInterface({ input: Readable.fromWeb(answer.body) })) {
    yield JSON.parse(line) as Line;
  }
}
