import { randomUUID } from 'node:crypto';
import { FairwayError, systemClock } from '@fairway/core';
import type { AnswerRules } from './app/answers.ts';
import type { WriterEnv } from './config.ts';
import type { ModelSources } from './model-sources.ts';
import { httpAnswers } from './notify/http/answers.ts';
import type { AnswerCall, NotifierAnswer } from './ports.ts';

type Registries = Pick<ModelSources, 'answers'>;

/** Where workflows may be told: URLs of these origins, and registries that are connected and can be told anything. */
export const answerRules = (env: WriterEnv, { answers }: Registries): AnswerRules => ({
  origins: env.ANSWER_ORIGINS,
  schemes: Object.keys(answers),
});

/** Tells each answer by the kind it was put out for. Throws `config.invalid` when answers would leave unsigned. */
export function answerSender(env: WriterEnv, { answers }: Registries): (call: AnswerCall) => Promise<NotifierAnswer> {
  const { ANSWER_ORIGINS: origins, ANSWER_SECRET: secret } = env;
  if (origins.length > 0 && secret === undefined) {
    throw new FairwayError(
      'config.invalid',
      'ANSWER_ORIGINS is set without ANSWER_SECRET; set the secret that answers are signed with.',
    );
  }
  const http = httpAnswers({ origins, secret, clock: systemClock, nonce: randomUUID });
  return ({ via, to, answer }) => {
    const kind = via === 'http' ? http : answers[via];
    if (kind === undefined) return Promise.resolve({ kind: 'dead', reason: `Nothing here tells answers by ${via}.` });
    return kind.answer(answer, to);
  };
}
