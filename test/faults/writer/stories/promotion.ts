import { MODEL } from '../../../integration/writer/world.ts';
import { MODEL_YAML, type Story, wrongVersion } from '../story.ts';

const SOAK = 'merge: auto, promote: { after: 1s } }';

/** What has soaked in dev is proposed for staging, which merges by itself. Nothing soaks before a person says so. */
export const promotion: Story = {
  name: 'promotion',
  env: { PROMOTE_EVERY_MS: '200' },
  prepare: (team) =>
    team.edit(MODEL_YAML, (text) =>
      text.replace(
        '  - { name: prod',
        `  - { name: staging, namespace: ${MODEL}-staging, merge: auto }\n  - { name: prod`,
      ),
    ),
  round: async (team, number) => {
    const version = String(number);
    await team.register(version);
    const soaks = (await team.origin.read(MODEL_YAML))?.includes(SOAK) === true;
    if (soaks) await team.edit(MODEL_YAML, (text) => text.replace(SOAK, 'merge: auto }'));
    await team.deployed(version, 'dev', `soaks ${version}`);
    return async () => {
      await team.edit(MODEL_YAML, (text) => text.replace('merge: auto }', SOAK));
      const { id } = await team.appears(
        ({ environment, version: promoted }) => environment === 'staging' && promoted === version,
      );
      await team.mergedByItself(id);
      await team.sync('staging');
      await team.ended(id, 'live');
      const title = `Deploy ${MODEL} ${version} to staging`;
      return {
        made: [{ id, phase: 'live', title, state: 'merged', says: '**Live.**' }],
        cards: ['approval', 'live'],
        edits: 1,
        content: () => wrongVersion(team, 'staging', version, id),
      };
    };
  },
};
