import { replay, type Replay, type StoredEvidence } from '@fairway/monitor';
import { Command } from 'commander';
import { expectJson } from '../stack/http.ts';
import { connection, DEFAULT_DIR } from './connection.ts';
import { monitorOf } from './monitor-of.ts';

type Options = { replay: string; json: boolean; dir: string };

/** `fairway judge --replay ID`: makes a verdict again from its evidence, on this machine. Exit code 1 when the bytes differ. */
export function judgeCommand(): Command {
  return new Command('judge')
    .description('make a stored verdict again from the counts, baseline and policy that it was made from')
    .requiredOption('--replay <id>', 'id of the verdict, as in fairway windows --json')
    .option('--json', 'print as JSON', false)
    .option('--dir <folder>', 'folder of the running stack', DEFAULT_DIR)
    .addHelpText('after', '\nExit codes: 0 the same bytes · 1 other bytes, or not to be had · 2 wrong usage')
    .action(judge);
}

async function judge({ replay: id, json, dir }: Options): Promise<void> {
  const { url, token } = monitorOf(connection(dir, process.env));
  const path = `/v1/verdicts/${encodeURIComponent(id)}/evidence`;
  const evidence = await expectJson<StoredEvidence>('The monitor', `${url}${path}`, { token, timeoutMs: 60_000 });
  const result = replay(evidence);
  console.log(json ? JSON.stringify(result, undefined, 2) : replayText(result, evidence));
  if (!result.equal) process.exitCode = 1;
}

function replayText({ id, equal, differences, kept }: Replay, { earlier, policy }: StoredEvidence): string {
  const { window, state, counts } = JSON.parse(kept) as {
    window: { model: string; version: string; environment: string; period: string };
    state: string;
    counts: string;
  };
  const what = `Verdict ${id}: ${window.model} version ${window.version}, ${window.environment}, ${window.period}, ${state}`;
  const from = `counts ${counts.slice(0, 12)}, policy ${policy.blob.slice(0, 12)}, ${earlier.length} earlier windows`;
  if (equal) return `${what}\nEqual: ${from} give the same ${Buffer.byteLength(kept)} bytes.`;
  return [`${what}\nDifferent: ${from} now give`, ...differences.map((line) => `  ${line}`)].join('\n');
}
