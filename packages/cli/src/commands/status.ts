import { Command } from 'commander';
import { type Change, phaseWord, type Verdict } from '@fairway/core';
import { expectJson } from '../stack/http.ts';
import { connection, DEFAULT_DIR } from './connection.ts';
import { table } from './table.ts';

type Live = { version: string; digest: string; changeId: string; since: string };
type Models = { models: { model: string; environments: { name: string; live?: Live }[] }[] };

/** `fairway status`: processes, what is live, what is on its way, and how the models do. */
export function statusCommand(): Command {
  return new Command('status')
    .description('show the running stack: processes, live models, open changes, last verdicts')
    .option('--json', 'print as JSON', false)
    .option('--dir <folder>', 'folder of the running stack', DEFAULT_DIR)
    .action(status);
}

async function status(options: { json: boolean; dir: string }): Promise<void> {
  const at = connection(options.dir, process.env);
  const read = <T>(path: string) => expectJson<T>('The writer', `${at.writer}${path}`, { token: at.writerToken });
  const { models } = await read<Models>('/v1/models');
  const { changes } = await read<{ changes: Change[] }>('/v1/changes?limit=200');
  const windows =
    at.monitor === undefined || at.monitorToken === undefined ? [] : await readWindows(at.monitor, at.monitorToken);
  const processes = at.state?.processes ?? {};
  if (options.json) return console.log(JSON.stringify({ processes, models, changes, windows }, undefined, 2));
  section(
    'Processes',
    Object.entries(processes).map(([name, { url, pid }]) => [name, pid === null ? '-' : String(pid), url ?? '-']),
  );
  section(
    'Models',
    models.flatMap(({ model, environments }) =>
      environments.map(({ name, live }) => [
        model,
        name,
        live ? `v${live.version} live since ${live.since}` : 'nothing live',
        live?.digest.slice(0, 19) ?? '',
      ]),
    ),
  );
  section(
    'Changes',
    changes
      .slice(0, 10)
      .map((change) => [
        change.id.slice(0, 8),
        change.kind,
        `${change.model} v${change.version}`,
        change.environment,
        phaseWord(change, change.phase),
        change.pullRequest?.url ?? change.reason ?? '',
      ]),
  );
  section(
    'Windows',
    windows.map(({ window, state, metrics }) => [
      `${window.model} v${window.version}`,
      window.environment,
      window.period,
      state,
      `${metrics.predictions} predictions`,
      metrics.auc === null ? '' : `AUC ${metrics.auc.toFixed(3)}`,
    ]),
  );
}

async function readWindows(monitor: string, token: string): Promise<Verdict[]> {
  return (await expectJson<{ windows: Verdict[] }>('The monitor', `${monitor}/v1/windows`, { token })).windows;
}

function section(title: string, rows: string[][]): void {
  console.log(`${title}\n${rows.length === 0 ? '  (none)' : table(rows, '  ')}\n`);
}
