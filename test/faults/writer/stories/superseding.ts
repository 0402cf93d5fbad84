import { MODEL } from '../../../integration/writer/world.ts';
import { type Story, wrongVersion } from '../story.ts';

/** A newer version is approved while the pull request of an older one is open: that one is closed, and the newer one goes on. */
export const superseding: Story = {
  name: 'superseding',
  round: async (team, number) => {
    const [older, newer] = [String(2 * number), String(2 * number + 1)];
    await team.register(older);
    await team.register(newer);
    return async () => {
      const first = await team.approve(older, 'prod', `older ${older}`);
      await team.proposed(first.id);
      const second = await team.approve(newer, 'prod', `newer ${newer}`);
      const { reason } = await team.ended(first.id, 'superseded');
      await team.proposed(second.id);
      await team.live(second.id);
      const title = (version: string) => `Deploy ${MODEL} ${version} to prod`;
      return {
        made: [
          { id: first.id, phase: 'superseded', title: title(older), state: 'closed', says: '**Superseded** by [' },
          { id: second.id, phase: 'live', title: title(newer), state: 'merged', says: '**Live.**' },
        ],
        cards: ['approval', 'superseded', 'approval', 'live'],
        content: async () => [
          ...(reason === `Version ${newer} was approved after it (change ${second.id}).` ? [] : [`it says: ${reason}`]),
          ...(await wrongVersion(team, 'prod', newer, second.id)),
        ],
      };
    };
  },
};
