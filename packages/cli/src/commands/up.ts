import { Command } from 'commander';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { generateTraining, trainHomeEquity } from '@fairway/example-home-equity';
import { approve, untilPhase } from '../demo/people.ts';
import { screen } from '../demo/screen.ts';
import { claimFolder } from '../stack/folder.ts';
import { claimPort } from '../stack/ports.ts';
import { MODEL, type Stack, startStack } from '../stack/stack.ts';
import { checkConfigured } from '../stack/backing.ts';
import { configured } from './configured.ts';
import { DEFAULT_DIR } from './connection.ts';
import { portNumber } from './numbers.ts';
import { requireMachine } from './requirements.ts';
import { table } from './table.ts';
import { untilStopped } from './until-stopped.ts';

type Options = { dir: string; json: boolean; port?: number; empty: boolean; fresh: boolean };

/** `fairway up`: the embedded stack, with the example model live in `dev`, until it is stopped. */
export function upCommand(): Command {
  return new Command('up')
    .description('start the embedded stack and keep it up until Ctrl-C; the example model is brought live in dev')
    .option('--json', 'print URL and pid of every process as JSON once all is ready', false)
    .option('--port <n>', 'port of the dashboard (found when not given)', portNumber)
    .option('--dir <folder>', 'folder of the stack; kept, so that the next start goes on from it', DEFAULT_DIR)
    .option('--empty', 'deploy no model', false)
    .option('--fresh', 'forget what the folder holds and start from nothing', false)
    .action(up);
}

async function up(options: Options): Promise<void> {
  const servers = configured(process.env);
  await requireMachine(servers.databaseUrl !== undefined);
  await checkConfigured(servers);
  const port = options.port === undefined ? {} : { port: await claimPort(options.port) };
  const claim = await claimFolder(options.dir);
  const stopped = untilStopped();
  const out = screen(options.json ? process.stderr : process.stdout, process.env);
  let stack: Stack | undefined;
  try {
    out.now('starting the stack');
    stack = await startStack({ claim, configured: servers, fresh: options.fresh, ...port });
    const ready = options.empty ? Promise.resolve() : deployExample(stack, (text) => out.now(text));
    ready.catch(() => {});
    const up = await Promise.race([ready.then(() => true), stopped.then(() => false)]);
    if (!up) return;
    await show(stack, options.json);
    await stopped;
  } finally {
    await stack?.stop();
    claim.release();
  }
}

/** Version 1 of the example, through the same door as any model: registered, approved, proposed, merged by rule, live. */
async function deployExample(stack: Stack, now: (text: string) => void): Promise<void> {
  if (!existsSync(join(stack.registryDir, MODEL, '1'))) {
    now('training the example model');
    await trainHomeEquity({ rows: generateTraining(7), seed: 7, registryDir: stack.registryDir, version: '1' });
  }
  const change = await approve(stack, '1', 'dev', 'fairway up');
  await untilPhase(stack, change.id, ['live', 'superseded'], ({ phase }) =>
    now(`bringing ${MODEL} v1 live in dev: ${phase}`),
  );
}

async function show(stack: Stack, json: boolean): Promise<void> {
  const processes = await stack.processes();
  if (json) return console.log(JSON.stringify({ ...processes, dir: stack.dir }, undefined, 2));
  console.log(
    table(
      Object.entries(processes).map(([name, { url, pid }]) => [name, url ?? '-', pid === null ? '-' : `pid ${pid}`]),
    ),
  );
  console.log(`\ndashboard      ${stack.urls.monitor}`);
  console.log(`pull requests  ${stack.urls.forge}/${stack.repository}/pulls`);
  console.log(`registry       ${stack.registryDir}`);
  console.log(`\nnext: npx fairway approve ${MODEL} 1 --environment prod   ·   npx fairway status   ·   Ctrl-C stops`);
}
