import { MODEL } from '../../../integration/writer/world.ts';
import { QUARANTINE, type Story, wrongVersion } from '../story.ts';
import type { Team } from '../team.ts';

const GOOD = '1';

/** The digest of what is left is in quarantine once, no more and no less. */
export async function wrongQuarantine({ origin }: Team, digest: string | undefined): Promise<string[]> {
  const entries = ((await origin.read(QUARANTINE)) ?? '').split(`digest: ${digest}`).length - 1;
  return entries === 1 ? [] : [`${digest} is in quarantine ${entries} times`];
}

/** Id of the deployment that an environment got first. */
export async function oldestIn({ ask }: Team, environment: string): Promise<string> {
  const path = `/v1/changes?environment=${environment}&kind=deploy&limit=200`;
  return (await ask('GET', path)).body.changes.at(-1)?.id ?? '';
}

/**
 * A person asks for the way back from a live version: the earlier one is restored and proven live, the bad one is quarantined, and
 * its open pull request for the next environment is closed.
 */
export const rollback: Story = {
  name: 'rollback',
  prepare: async (team) => {
    await team.register(GOOD);
    await team.deployed(GOOD, 'dev', 'the good one');
  },
  round: async (team, number) => {
    const version = String(number + 1);
    await team.register(version);
    const bad = await team.deployed(version, 'dev', `bad ${version}`);
    const next = await team.proposed((await team.approve(version, 'prod', `onward ${version}`)).id);
    return async () => {
      const { id } = await team.request('/v1/changes', {
        kind: 'rollback',
        model: MODEL,
        environment: 'dev',
        dedupeKey: `back ${version}`,
        actor: 'bob@example.com',
        reason: 'Scores are off',
      });
      await team.mergedByItself(id);
      await team.sync('dev');
      await team.ended(id, 'live');
      await team.ended(next.id, 'rejected');
      const title = `Roll back ${MODEL} in dev to version ${GOOD}`;
      const held = `Deploy ${MODEL} ${version} to prod`;
      return {
        made: [{ id, phase: 'live', title, state: 'merged', says: '**Live.**' }],
        ended: [{ id: next.id, phase: 'rejected', title: held, state: 'closed', says: '**Held back.**' }],
        left: [{ id: bad.id, phase: 'rolled-back' }],
        cards: ['approval', 'rolled-back', 'rejected'],
        content: async () => [
          ...(await wrongVersion(team, 'dev', GOOD, await oldestIn(team, 'dev'))),
          ...(await wrongQuarantine(team, bad.digest)),
        ],
      };
    };
  },
};
