import type { WorldOptions } from '../../integration/writer/world.ts';
import type { Point } from '../../harness/kill-points.ts';
import type { Story } from './story.ts';
import { type PointResult, strike } from './strike.ts';

export type Order = {
  readonly stories: readonly Story[];
  /** Kills in each story; undefined: one at each of its boundaries. */
  readonly rounds?: number;
  readonly seed: number;
  /** Settings of a world of its own for each story. */
  readonly world: () => Promise<WorldOptions>;
  readonly say: (line: string) => void;
};

export type Told = { readonly story: string; readonly boundaries: number; readonly results: readonly PointResult[] };

/** Kills the writer in story after story; a story that is not told to its end has a result that says why. */
export async function writerCampaign({ stories, rounds, seed, world, say }: Order): Promise<Told[]> {
  const told: Told[] = [];
  for (const story of stories) {
    const began = Date.now();
    const results: PointResult[] = [];
    const heard = (result: PointResult) => {
      results.push(result);
      const { point, died, wrong } = result;
      const mark = wrong.length > 0 ? 'WRONG ' : died ? 'ok    ' : 'missed';
      say(`${mark} ${story.name}: ${point}${wrong.map((sentence) => `; ${sentence}`).join('')}`);
    };
    const struck = strike(story, world, (all) => drawn(all, rounds, seed), heard);
    const points = await struck.catch((error: Error) => {
      heard({ point: 'none', died: true, wrong: [error.message] });
      return [];
    });
    const seconds = Math.round((Date.now() - began) / 1000);
    say(`${story.name}: ${points.length} boundaries, ${results.length} kills, ${seconds} s`);
    told.push({ story: story.name, boundaries: points.length, results });
  }
  return told;
}

/** So many points, evenly spread; as many seeds as it takes, one after the other, draw each point once. */
export function drawn(points: readonly Point[], rounds: number | undefined, seed: number): readonly Point[] {
  if (rounds === undefined || rounds >= points.length) return points;
  const stride = Math.ceil(points.length / Math.max(1, rounds));
  return points.filter((_, i) => i % stride === seed % stride);
}
