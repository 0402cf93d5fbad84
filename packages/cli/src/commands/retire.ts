import { randomUUID } from 'node:crypto';
import type { Change, RetireRequest } from '@fairway/core';
import { Command } from 'commander';
import { whoRuns } from './actor.ts';
import { expectJson } from '../stack/http.ts';
import { printCarried, untilProposed } from './carried.ts';
import { connection, DEFAULT_DIR } from './connection.ts';

type Options = {
  environment: string;
  confirm: string;
  reason: string;
  actor: string;
  event?: string;
  json: boolean;
  dir: string;
};

/** `fairway retire`: asks to take a model out of an environment; a person has to merge it. */
export function retireCommand(): Command {
  return new Command('retire')
    .description(
      'take a model out of an environment by a pull request that a person merges; what serves there is deleted',
    )
    .argument('<model>', 'model name, e.g. home-equity')
    .requiredOption('-e, --environment <name>', 'environment from model.yaml, e.g. prod')
    .requiredOption(
      '--confirm <model/environment>',
      'written out; with /last behind it for the last environment of a model',
    )
    .requiredOption('-r, --reason <sentence>', 'why nothing shall serve there any more')
    .option('--actor <name>', 'who decided', whoRuns())
    .option('--event <id>', 'id of the decision; the same id again is the same retirement')
    .option('--json', 'print the change as JSON', false)
    .option('--dir <folder>', 'folder of the running stack', DEFAULT_DIR)
    .action(retire);
}

async function retire(model: string, options: Options): Promise<void> {
  const { writer, writerToken: token } = connection(options.dir, process.env);
  const { environment, confirm, reason, actor, event } = options;
  const dedupeKey = event ?? `cli:${randomUUID()}`;
  const body: RetireRequest = { kind: 'retire', model, environment, confirm, dedupeKey, actor, reason };
  const { change } = await expectJson<{ change: Change }>('The writer', `${writer}/v1/changes`, { token, body });
  printCarried(
    await untilProposed(writer, token, change),
    options.json,
    'Merge it on the forge to delete what serves.',
  );
}
