import { asFairwayError } from '@fairway/core';
import type { Answer, Answers, NotifierAnswer } from '../../ports.ts';

/** A version of a registered model, in MLflow's words. */
type VersionName = { readonly name: string; readonly version: string };

export type MlflowAnswers = {
  /** The version that an `answerTo` names; undefined when it names none. */
  readonly parse: (answerTo: string) => VersionName | undefined;
  /** Sets a tag of a version. */
  readonly setTag: (name: string, version: string, key: string, value: string) => Promise<void>;
};

/**
 * Tells the end of a change by tags of the version, `fairway.<environment>.<what>`, so that dev and prod do not overwrite each
 * other. Each answer writes all of them, the outcome last: who sees it, sees what belongs to it.
 */
export function mlflowAnswers({ parse, setTag }: MlflowAnswers): Answers {
  return {
    answer: async (answer, to): Promise<NotifierAnswer> => {
      const version = to === undefined ? undefined : parse(to);
      if (version === undefined)
        return { kind: 'dead', reason: 'The approval names no version of MLflow as answerTo.' };
      try {
        for (const [key, value] of tagsFor(answer)) await setTag(version.name, version.version, key, value);
        return { kind: 'accepted' };
      } catch (error) {
        const { disposition, message, detail } = asFairwayError(error);
        if (disposition === 'terminal') return { kind: 'dead', reason: message };
        const wait = detail['retryAfterMs'];
        return { kind: 'retry', reason: message, ...(typeof wait === 'number' ? { afterMs: wait } : {}) };
      }
    },
  };
}

/** MLflow takes 5,000 characters in a tag of a version (2.x). */
const LONGEST = 4_000;

function tagsFor(answer: Answer): ReadonlyArray<readonly [key: string, value: string]> {
  const { environment, changeId, reason = '', pullRequest = '', mergeCommit = '', at, outcome } = answer;
  const tags = { change: changeId, reason, pull_request: pullRequest, merge_commit: mergeCommit, at, outcome };
  return Object.entries(tags).map(([what, value]) => [`fairway.${environment}.${what}`, value.slice(0, LONGEST)]);
}
