import { randomUUID } from 'node:crypto';
import type { Change, RollbackRequest } from '@fairway/core';
import { Command } from 'commander';
import { whoRuns } from './actor.ts';
import { expectJson } from '../stack/http.ts';
import { printCarried, untilProposed } from './carried.ts';
import { connection, DEFAULT_DIR } from './connection.ts';

type Options = {
  environment: string;
  version?: string;
  reason: string;
  actor: string;
  event?: string;
  json: boolean;
  dir: string;
};

/** `fairway rollback`: asks for the last live state of an environment; the version that is left is quarantined. */
export function rollbackCommand(): Command {
  return new Command('rollback')
    .description(
      'restore the last live version of an environment by a pull request, and quarantine the one that is there',
    )
    .argument('<model>', 'model name, e.g. home-equity')
    .requiredOption('-e, --environment <name>', 'environment from model.yaml, e.g. prod')
    .requiredOption('-r, --reason <sentence>', 'what is wrong with the version that is there')
    .option('--version <version>', 'the version to leave; refused when another one is there')
    .option('--actor <name>', 'who decided', whoRuns())
    .option('--event <id>', 'id of the decision; the same id again is the same rollback')
    .option('--json', 'print the change as JSON', false)
    .option('--dir <folder>', 'folder of the running stack', DEFAULT_DIR)
    .action(rollback);
}

async function rollback(model: string, options: Options): Promise<void> {
  const { writer, writerToken: token } = connection(options.dir, process.env);
  const { environment, version, reason, actor, event } = options;
  const body: RollbackRequest = {
    kind: 'rollback',
    model,
    environment,
    // While a rollback of the environment is open, any other request joins it: a new id each time does no harm.
    dedupeKey: event ?? `cli:${randomUUID()}`,
    actor,
    reason,
    ...(version === undefined ? {} : { version }),
  };
  const { change } = await expectJson<{ change: Change }>('The writer', `${writer}/v1/changes`, { token, body });
  printCarried(await untilProposed(writer, token, change), options.json, 'Merge it on the forge to go back.');
}
