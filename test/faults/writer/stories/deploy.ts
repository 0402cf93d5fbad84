import { MODEL } from '../../../integration/writer/world.ts';
import { type Story, wrongVersion } from '../story.ts';

/** From the approval by the merge, which the environment does by itself, to live. */
export const deploy: Story = {
  name: 'deploy',
  round: async (team, number) => {
    const version = String(number);
    await team.register(version);
    return async () => {
      const { id } = await team.approve(version, 'dev', `deploy ${version}`);
      await team.mergedByItself(id);
      await team.sync('dev');
      await team.ended(id, 'live');
      return {
        made: [{ id, phase: 'live', title: `Deploy ${MODEL} ${version} to dev`, state: 'merged', says: '**Live.**' }],
        cards: ['approval', 'live'],
        content: () => wrongVersion(team, 'dev', version, id),
      };
    };
  },
};
