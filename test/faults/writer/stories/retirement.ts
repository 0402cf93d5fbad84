import { MODEL } from '../../../integration/writer/world.ts';
import { folderOf, MODEL_YAML, type Story } from '../story.ts';

const GONE = 'gone';
const ENTRY = `  - { name: ${GONE}, namespace: ${MODEL}-${GONE}, merge: review }\n`;

/** An environment is taken out: what serves there, its entry in model.yaml, and what was on its way there. */
export const retirement: Story = {
  name: 'retirement',
  round: async (team, number) => {
    const [served, late] = [String(2 * number), String(2 * number + 1)];
    await team.register(served);
    await team.register(late);
    await team.edit(MODEL_YAML, (text) => text.replace('  - { name: prod', `${ENTRY}  - { name: prod`));
    const live = await team.deployed(served, GONE, `served ${served}`);
    const open = await team.proposed((await team.approve(late, GONE, `late ${late}`)).id);
    const before = await team.origin.read(MODEL_YAML);
    return async () => {
      const { id } = await team.request('/v1/changes', {
        kind: 'retire',
        model: MODEL,
        environment: GONE,
        dedupeKey: `retire ${number}`,
        actor: 'carol@example.com',
        reason: 'Nobody calls it',
        confirm: `${MODEL}/${GONE}`,
      });
      await team.proposed(id);
      await team.merged(id);
      team.world.cluster.removeApplication(`${MODEL}-${GONE}`);
      team.world.cluster.removeDeployment(`${MODEL}-${GONE}`, MODEL);
      await team.ended(id, 'live');
      await team.ended(open.id, 'superseded');
      const lateTitle = `Deploy ${MODEL} ${late} to ${GONE}`;
      return {
        made: [{ id, phase: 'live', title: `Retire ${MODEL} from ${GONE}`, state: 'merged', says: '**Done.**' }],
        ended: [{ id: open.id, phase: 'superseded', title: lateTitle, state: 'closed', says: '**Superseded.**' }],
        left: [{ id: live.id, phase: 'superseded' }],
        cards: ['approval', 'retired', 'superseded'],
        content: async () => [
          ...(await team.origin.list(folderOf(GONE))).map((path) => `${path} is still there`),
          ...((await team.origin.read(MODEL_YAML)) === before?.replace(ENTRY, '')
            ? []
            : [`model.yaml is ${await team.origin.read(MODEL_YAML)}`]),
        ],
      };
    };
  },
};
