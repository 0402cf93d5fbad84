import { MODEL } from '../../../integration/writer/world.ts';
import { type Story, wrongVersion } from '../story.ts';
import { oldestIn, wrongQuarantine } from './rollback.ts';

const GOOD = '1';

/** The rollout of a new version passes its deadline: the change fails, and its rollback follows in the same transaction. */
export const wayBack: Story = {
  name: 'way-back',
  prepare: async (team) => {
    await team.register(GOOD);
    await team.deployed(GOOD, 'dev', 'the good one');
  },
  round: async (team, number) => {
    const version = String(number + 1);
    await team.register(version);
    return async () => {
      const bad = await team.approve(version, 'dev', `breaks ${version}`);
      await team.mergedByItself(bad.id);
      await team.breaks('dev', bad.id);
      const { digest } = await team.until(bad.id, ({ phase }) => phase === 'failed' || phase === 'rolled-back');
      const [back] = (await team.ask('GET', '/v1/changes?kind=rollback')).body.changes;
      const id = back?.id ?? '';
      await team.mergedByItself(id);
      await team.sync('dev');
      await team.ended(id, 'live');
      const deployed = `Deploy ${MODEL} ${version} to dev`;
      const title = `Roll back ${MODEL} in dev to version ${GOOD}`;
      return {
        made: [
          { id: bad.id, phase: 'rolled-back', title: deployed, state: 'merged', says: '**Failed.**', live: 'failure' },
          { id, phase: 'live', title, state: 'merged', says: '**Live.**' },
        ],
        cards: ['approval', 'failed', 'approval', 'rolled-back'],
        content: async () => [
          ...(await wrongVersion(team, 'dev', GOOD, await oldestIn(team, 'dev'))),
          ...(await wrongQuarantine(team, digest)),
        ],
      };
    };
  },
};
