import type { Point } from '../../harness/kill-points.ts';
import { startWorld, type WorldOptions } from '../../integration/writer/world.ts';
import { openAccount } from './account.ts';
import { type Crew, startCrew } from './crew.ts';
import type { Story } from './story.ts';
import { teamOf } from './team.ts';

/** What went wrong after a kill, in sentences; and whether the story came to the point at all. */
export type PointResult = { readonly point: Point; readonly died: boolean; readonly wrong: readonly string[] };

/** A story does not pass each boundary each time: what waits, or loses a race, is not for it to say. */
const TRIES = 3;

/**
 * Tells a story once unharmed, which enumerates its boundaries between the writer and the world, and once more for each of those that
 * `choose` picks: there the writer is killed by SIGKILL, and another one goes on. `told` hears of each.
 */
export async function strike(
  story: Story,
  options: () => Promise<WorldOptions>,
  choose: (points: readonly Point[]) => readonly Point[],
  told: (result: PointResult) => void,
): Promise<readonly Point[]> {
  let stage = await setUp(story, options);
  try {
    const unharmed = await stage.round();
    const points = [...(await stage.crew.points())].sort();
    if (unharmed.length > 0) throw new Error(`${story.name}, unharmed: ${unharmed.join('; ')}`);
    for (const point of choose(points)) {
      let result: PointResult = { point, died: false, wrong: [] };
      for (let tries = 0; tries < TRIES && !result.died && result.wrong.length === 0; tries += 1) {
        const sentences = await stage.round(point);
        const { died, accident } = await stage.crew.disarm();
        const wrong = accident === undefined ? sentences : [...sentences, accident];
        result = { point, died, wrong };
        // What a wrong end has left would be in the way of the next round.
        if (wrong.length === 0) continue;
        await stage.end();
        stage = await setUp(story, options);
      }
      told(result);
    }
    return points;
  } finally {
    await stage.end();
  }
}

type Stage = {
  readonly crew: Crew;
  /** Tells the story; what was wrong after it, in sentences. */
  round(point?: Point): Promise<string[]>;
  end(): Promise<void>;
};

async function setUp(story: Story, options: () => Promise<WorldOptions>): Promise<Stage> {
  const crew = await startCrew();
  const given = await options();
  const world = await startWorld({ ...given, writer: (env) => crew.begin({ ...env, ...story.env }) });
  const team = teamOf(world);
  let rounds = 0;
  const end = async () => {
    crew.dismiss();
    await world.stop();
  };
  try {
    await story.prepare?.(team);
  } catch (error) {
    await end();
    throw error;
  }
  const round = async (point?: Point): Promise<string[]> => {
    const tell = await story.round(team, (rounds += 1));
    const account = await openAccount(team);
    await (point === undefined ? crew.watch() : crew.dieAt(point));
    try {
      return await account.wrongWith(await tell(), point !== undefined);
    } catch (error) {
      return [`the story does not end: ${(error as Error).message}`];
    }
  };
  return { crew, round, end };
}
