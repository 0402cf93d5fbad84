import type { Clock } from '@fairway/core';
import { z } from 'zod';
import { isOk } from '../http/answer.ts';
import type { ForgeClient } from '../http/client.ts';

/** The merge train of a project that has one (Premium). Merging past it would break it for the others on it. */
export type MergeTrain = {
  isEnabled(): Promise<boolean>;
  /** Whether a merge request waits on it. */
  carries(number: number): Promise<boolean>;
};

const LOOK_AGAIN_MS = 600_000;
const WAITING = new Set(['idle', 'fresh', 'stale', 'merging']);

const projectSchema = z.object({ merge_trains_enabled: z.boolean().nullish() });
const carSchema = z.object({ status: z.string() });

/** `path`: `/projects/<id>` */
export function mergeTrain(call: ForgeClient, path: string, clock: Clock): MergeTrain {
  let known: { readonly isEnabled: boolean; readonly at: number } | undefined;
  return {
    isEnabled: async () => {
      if (known !== undefined && clock.now() - known.at < LOOK_AGAIN_MS) return known.isEnabled;
      const answer = await call('GET', path);
      const isEnabled = isOk(answer) && projectSchema.safeParse(answer.data).data?.merge_trains_enabled === true;
      known = { isEnabled, at: clock.now() };
      return isEnabled;
    },
    carries: async (number) => {
      const answer = await call('GET', trainPath(path, number));
      return isOk(answer) && WAITING.has(carSchema.safeParse(answer.data).data?.status ?? '');
    },
  };
}

export const trainPath = (path: string, number: number): string => `${path}/merge_trains/merge_requests/${number}`;

export const trainReason = (number: number): string =>
  `Merge request !${number} (#${number}) waits on the merge train.`;
