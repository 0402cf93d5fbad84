import { iso, systemClock } from '@fairway/core';
import type { StoredBacktest } from '@fairway/monitor';
import { Command, InvalidArgumentError } from 'commander';
import { expectJson } from '../stack/http.ts';
import { connection, DEFAULT_DIR } from './connection.ts';
import { readGiven } from './given-files.ts';
import { monitorOf } from './monitor-of.ts';
import { readPolicy } from './policy-file.ts';
import { backtestText } from './policy-text.ts';

type Options = { readonly model?: string; readonly since?: number; readonly json: boolean; readonly dir: string };

/** A thousand windows of ten thousand score groups each, and the simulation. */
const PATIENCE_MS = 300_000;
const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** `fairway policy test FILE`: what a changed policy would have said of the windows that are stored. */
export function policyCommand(): Command {
  const test = new Command('test')
    .description('replay a policy.yaml over the stored windows of a model, before it is merged; changes nothing')
    .argument('<file>', 'the policy.yaml')
    .option('--model <name>', 'model, e.g. home-equity (default: the one that the policy names)')
    .option('--since <duration>', 'windows that ended since so long ago, such as 90d or 12w (default: all)', duration)
    .option('--json', 'print as JSON', false)
    .option('--dir <folder>', 'folder of the running stack', DEFAULT_DIR)
    .addHelpText(
      'after',
      '\nExit codes: 0 tested, whatever it says · 1 the policy is not usable, or something failed · 2 wrong usage',
    )
    .action(testPolicy);
  return new Command('policy').description('look after the policies of models').addCommand(test);
}

function duration(text: string): number {
  const [, digits, unit] = /^(\d{1,5})([hdw])$/.exec(text) ?? [];
  if (digits === undefined || unit === undefined) throw new InvalidArgumentError('Write it as 48h, 90d or 12w.');
  return Number(digits) * (UNITS[unit] ?? 0);
}

async function testPolicy(file: string, { model, since, json, dir }: Options): Promise<void> {
  const { url, token } = monitorOf(connection(dir, process.env));
  const body = {
    model: model ?? readPolicy(file).model,
    policy: readGiven(file),
    ...(since === undefined ? {} : { since: iso(systemClock.now() - since) }),
  };
  const answer = await expectJson<StoredBacktest>('The monitor', `${url}/v1/backtests`, {
    token,
    body,
    timeoutMs: PATIENCE_MS,
  });
  console.log(json ? JSON.stringify(answer, undefined, 2) : backtestText(answer));
  if (answer.problems.length > 0) process.exitCode = 1;
}
