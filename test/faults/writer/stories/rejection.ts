import { MODEL } from '../../../integration/writer/world.ts';
import { folderOf, type Story } from '../story.ts';

/** A person closes the pull request, which is a no; the same approval again is still refused. */
export const rejection: Story = {
  name: 'rejection',
  round: async (team, number) => {
    const version = String(number);
    await team.register(version);
    return async () => {
      const approve = () => team.approve(version, 'prod', `rejected ${version}`);
      const { id } = await approve();
      const { pullRequest } = await team.proposed(id);
      await team.world.onForge('PATCH', `/pulls/${pullRequest?.number}`, { state: 'closed' });
      await team.ended(id, 'rejected');
      const again = await approve();
      const title = `Deploy ${MODEL} ${version} to prod`;
      return {
        made: [{ id, phase: 'rejected', title, state: 'closed', says: '**Rejected**' }],
        cards: ['approval', 'rejected'],
        content: async () => [
          ...(again.id === id && again.phase === 'rejected' ? [] : [`approved again, it is ${again.phase}`]),
          ...(await team.origin.list(folderOf('prod'))).map((path) => `${path} is on the default branch`),
        ],
      };
    };
  },
};
