import { startDemo, type Told } from '../harness/demo.ts';
import { killAt, type Kill, PLAN } from '../harness/kills.ts';
import { atMost, type Result } from '../bench/result.ts';

/** Counts over all rounds what a killed process must never cause. */
export async function campaign(rounds: number, seed: number): Promise<Result[]> {
  const told: Told[] = [];
  for (let round = 0; round < rounds; round++) {
    const run = startDemo();
    const plan = shifted(PLAN, seed + round);
    const [result, kills] = await Promise.all([run.told, killAt(run, plan).catch((error: Error) => [error.message])]);
    console.log(`round ${round + 1}: exit ${result.code}, killed ${kills.join(', ')}`);
    if (result.code !== 0) console.log(result.output);
    told.push(result);
  }
  const count = (wrong: (told: Told) => boolean) => told.filter(wrong).length;
  const sum = (value: (told: Told) => number) => told.reduce((total, one) => total + value(one), 0);
  const retrains = ({ summary }: Told) => summary?.pullRequests.filter(({ kind }) => kind === 'retrain').length ?? 0;
  const alerts = ({ summary }: Told) => summary?.cards.filter(({ event }) => event === 'alert').length ?? 0;
  return [
    atMost(
      'stories-not-told',
      count(({ code }) => code !== 0),
      'of rounds',
      0,
      `${rounds} rounds, seed ${seed}`,
    ),
    atMost(
      'predictions-lost-or-doubled',
      sum(({ summary }) => Math.abs((summary?.sent ?? 0) - (summary?.stored ?? 0))),
      'predictions',
      0,
    ),
    atMost(
      'rounds-without-exactly-one-retrain-pull-request',
      count((one) => retrains(one) !== 1),
      'rounds',
      0,
    ),
    atMost(
      'rounds-without-exactly-one-alert-card',
      count((one) => alerts(one) !== 1),
      'rounds',
      0,
    ),
  ];
}

/** The plan with each kill moved by up to a second, the same for the same seed. */
function shifted(plan: readonly Kill[], seed: number): Kill[] {
  let state = seed * 2_654_435_761;
  return plan.map((kill) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return { ...kill, afterMs: kill.afterMs + (state % 1000) };
  });
}
