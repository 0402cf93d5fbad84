import { type Change, END_PHASES, pause } from '@fairway/core';
import { expectJson } from '../stack/http.ts';

const PROPOSED = ['proposed', 'merged', 'syncing', 'verifying'];

/** Asks again until a change has a pull request or has ended, for half a minute at most. */
export async function untilProposed(writer: string, token: string, change: Change): Promise<Change> {
  const deadline = Date.now() + 30_000;
  let now = change;
  while (![...PROPOSED, ...END_PHASES].includes(now.phase) && Date.now() < deadline) {
    await pause(300);
    ({ change: now } = await expectJson<{ change: Change }>('The writer', `${writer}/v1/changes/${now.id}`, { token }));
  }
  return now;
}

/** What became of a change that was asked for. */
export function printCarried(change: Change, json: boolean, next: string): void {
  if (json) return console.log(JSON.stringify(change, undefined, 2));
  const { kind, model, version, environment, phase, reason, pullRequest } = change;
  const what =
    kind === 'rollback' ? `${model} in ${environment} back to v${version}` : `${model} out of ${environment}`;
  console.log(`${what}: ${phase}${reason === undefined ? '' : ` (${reason})`}`);
  if (pullRequest !== undefined) console.log(`pull request: ${pullRequest.url}`);
  if (phase === 'proposed') console.log(next);
}
