import { Command, InvalidArgumentError } from 'commander';
import { FairwayError, iso, systemClock } from '@fairway/core';
import { expectJson } from '../stack/http.ts';
import { accountLines, isWhole, type LedgerAccount, withAgents } from './account-text.ts';
import { agentsOf, readAgent } from './agents-held.ts';
import { type Connection, connection, DEFAULT_DIR } from './connection.ts';

type Options = { since?: number; model?: string; json: boolean; agent: readonly string[]; dir: string };

const DAY_MS = 86_400_000;
const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: DAY_MS };

/** `fairway account`: what became of every captured exchange. Exit code 1 when a loss has no explanation. */
export function accountCommand(): Command {
  return new Command('account')
    .description('add up what became of every captured prediction call: recorded, sampled out, dropped, in flight')
    .option('--since <duration>', 'what was recorded since so long ago, such as 1h or 7d (default: 1d)', duration)
    .option('--model <name>', 'of this model alone')
    .option('--agent <url>', 'admin address of an agent to ask what it still holds; repeatable', collect, [])
    .option('--json', 'print as JSON', false)
    .option('--dir <folder>', 'folder of the running stack', DEFAULT_DIR)
    .action(account);
}

function duration(text: string): number {
  const [, digits, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (digits === undefined || unit === undefined) throw new InvalidArgumentError('Write it as 30m, 1h or 7d.');
  return Number(digits) * (UNITS[unit] ?? 0);
}

const collect = (url: string, before: readonly string[]): string[] => [...before, url];

async function account({ since = DAY_MS, model, json, agent, dir }: Options): Promise<void> {
  const at = connection(dir, process.env);
  const ledger = await readLedger(at, iso(systemClock.now() - since), model);
  const held = await Promise.all([...agent, ...(await agentsOf(at))].map((url) => readAgent(at, ledger, url)));
  const whole = withAgents(ledger, held);
  if (json) console.log(JSON.stringify({ ...whole, complete: isWhole(whole) }, undefined, 2));
  else console.log(accountLines(whole).join('\n'));
  if (!isWhole(whole)) process.exitCode = 1;
}

async function readLedger(
  { recorder, monitorToken: token }: Connection,
  since: string,
  model: string | undefined,
): Promise<LedgerAccount> {
  if (recorder === undefined || token === undefined) {
    throw new FairwayError(
      'config.invalid',
      'The account is kept by the recorder: set FAIRWAY_RECORDER_URL and FAIRWAY_MONITOR_TOKEN.',
    );
  }
  const query = new URLSearchParams({ since, ...(model === undefined ? {} : { model }) });
  return expectJson('The recorder', `${recorder}/v1/account/epochs?${query.toString()}`, { token, timeoutMs: 60_000 });
}
