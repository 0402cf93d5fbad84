import { Command } from 'commander';
import { type Change, END_PHASES, FairwayError, pause } from '@fairway/core';
import { whoRuns } from './actor.ts';
import { expectJson } from '../stack/http.ts';
import { connection, DEFAULT_DIR } from './connection.ts';

type Options = {
  environment: string;
  actor: string;
  event?: string;
  evidence?: string;
  wait: boolean;
  json: boolean;
  dir: string;
};

/** `fairway approve`: says that a workflow approved a model version; what follows is a pull request. */
export function approveCommand(): Command {
  return new Command('approve')
    .description('approve a model version of the registry for an environment; Fairway answers with a pull request')
    .argument('<model>', 'model name, e.g. home-equity')
    .argument('<version>', 'version in the registry, e.g. 1')
    .requiredOption('-e, --environment <name>', 'environment from model.yaml, e.g. prod')
    .option('--actor <name>', 'who decided', whoRuns())
    .option('--event <id>', 'event id of the decision; the same id again is the same approval')
    .option('--evidence <text>', 'what the decision rests on: a link or a sentence')
    .option('--wait', 'wait until the change is live or has ended', false)
    .option('--json', 'print the change as JSON', false)
    .option('--dir <folder>', 'folder of the running stack', DEFAULT_DIR)
    .action(approve);
}

async function approve(model: string, version: string, options: Options): Promise<void> {
  const { writer, writerToken: token } = connection(options.dir, process.env);
  const body = {
    // Without an event id of its own, the decision itself is the event: saying it twice is saying it once.
    eventId: options.event ?? `cli:${options.actor}:${model}:${version}:${options.environment}`,
    model,
    version,
    environment: options.environment,
    actor: options.actor,
    ...(options.evidence === undefined ? {} : { evidence: options.evidence }),
  };
  let { change } = await expectJson<{ change: Change }>('The writer', `${writer}/v1/approvals`, { token, body });
  const enough = (phase: string) =>
    (options.wait ? END_PHASES : ['proposed', 'merged', 'syncing', 'verifying', ...END_PHASES]).includes(
      phase as never,
    );
  const deadline = Date.now() + (options.wait ? 600_000 : 30_000);
  while (!enough(change.phase) && Date.now() < deadline) {
    await pause(300);
    ({ change } = await expectJson<{ change: Change }>('The writer', `${writer}/v1/changes/${change.id}`, { token }));
  }
  print(change, options.json);
  if (change.phase === 'failed' || change.phase === 'rejected') {
    throw new FairwayError('input.invalid', change.reason ?? `Change ${change.id} ended as ${change.phase}.`);
  }
}

function print(change: Change, json: boolean): void {
  if (json) return console.log(JSON.stringify(change, undefined, 2));
  console.log(
    `${change.model} v${change.version} → ${change.environment}: ${change.phase}${change.reason ? ` (${change.reason})` : ''}`,
  );
  if (change.pullRequest) console.log(`pull request: ${change.pullRequest.url}`);
  if (change.phase === 'proposed') console.log('Merge it on the forge to deploy.');
}
