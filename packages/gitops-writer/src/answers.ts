import { randomUUID } from 'node:crypto';
import { FairwayError, systemClock } from '@fairway/core';
import type { AnswerRules } from './app/answers.ts';
import type { WriterEnv } from './config.ts';
import { httpAnswers } from './notify/http/answers.ts';
import type { AnswerCall, Answers, NotifierAnswer } from './ports.ts';

/** `connected`: whether the registry of this scheme is; not there for `http`, whose rule is ANSWER_ORIGINS. */
type AnswerKind = { readonly connected?: (env: WriterEnv) => boolean; readonly open: (env: WriterEnv) => Answers };

/**
 * How workflows are told, by the scheme of `answerTo`: `http` for a URL, else that of a model registry. To add one: its folder
 * below notify/ and one line here. The directory registry has no workflow, so it is not here.
 */
const ANSWERS: Readonly<Record<string, AnswerKind>> = {
  http: {
    open: ({ ANSWER_ORIGINS: origins, ANSWER_SECRET: secret }) =>
      httpAnswers({ origins, secret, clock: systemClock, nonce: randomUUID }),
  },
};

export const answerRules = (env: WriterEnv): AnswerRules => ({
  origins: env.ANSWER_ORIGINS,
  schemes: Object.entries(ANSWERS).flatMap(([scheme, kind]) => (kind.connected?.(env) === true ? [scheme] : [])),
});

/** Tells each answer by the kind it was put out for. Throws `config.invalid` when answers would leave unsigned. */
export function answerSender(env: WriterEnv): (call: AnswerCall) => Promise<NotifierAnswer> {
  if (env.ANSWER_ORIGINS.length > 0 && env.ANSWER_SECRET === undefined) {
    throw new FairwayError(
      'config.invalid',
      'ANSWER_ORIGINS is set without ANSWER_SECRET; set the secret that answers are signed with.',
    );
  }
  const opened = new Map<string, Answers>();
  return ({ via, to, answer }) => {
    const kind = ANSWERS[via];
    if (kind === undefined) return Promise.resolve({ kind: 'dead', reason: `Nothing here tells answers by ${via}.` });
    const answers = opened.get(via) ?? kind.open(env);
    opened.set(via, answers);
    return answers.answer(answer, to);
  };
}
