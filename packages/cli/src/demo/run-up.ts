import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { generateTraining, trainHomeEquity } from '@fairway/example-home-equity';
import { requireMachine } from '../commands/requirements.ts';
import { table } from '../commands/table.ts';
import { checkConfigured, configured } from '../stack/backing.ts';
import { claimFolder, explainBySpace } from '../stack/folder.ts';
import { claimPort } from '../stack/ports.ts';
import { MODEL, type Stack, startStack } from '../stack/stack.ts';
import { untilStopped } from '../stack/until-stopped.ts';
import { approve, untilPhase } from './people.ts';
import { screen } from './screen.ts';

/** Options of `fairway up`, as its help describes them. */
export type UpOptions = { dir: string; json: boolean; port?: number; empty: boolean; fresh: boolean };

/** Starts the stack, brings the example live in `dev`, and keeps it up until it is stopped. */
export async function runUp(options: UpOptions): Promise<void> {
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
  } catch (error) {
    throw explainBySpace(claim.dir, error);
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
