/** How an `answerTo` is told. */
export type AnswerRules = {
  /** Origins that may be called. */
  readonly origins: readonly string[];
  /** Kind of the model registry when its workflows take answers, whatever `answerTo` says; else undefined. */
  readonly registry: string | undefined;
};

const isHttp = (answerTo: string): boolean => /^https?:/i.test(answerTo);

/** Which kind of answers tells this `answerTo`; undefined: none. */
export function answerVia(answerTo: string | undefined, { registry }: AnswerRules): string | undefined {
  return answerTo !== undefined && isHttp(answerTo) ? 'http' : registry;
}

/** Why an approval cannot be answered there, in words that follow `answerTo: `; undefined when it can. */
export function answerProblem(answerTo: string, rules: AnswerRules): string | undefined {
  if (!isHttp(answerTo)) {
    return rules.registry === undefined
      ? 'must be an http or https URL: this registry has no other way to answer'
      : undefined;
  }
  if (!URL.canParse(answerTo)) return 'is not a URL';
  const { origin, username, password, hash } = new URL(answerTo);
  if (username !== '' || password !== '') return 'must not hold a password: it is written into the Git history';
  if (hash !== '') return 'must not have a fragment';
  if (rules.origins.includes(origin)) return undefined;
  return `${origin} is not among the origins that this writer may call; add it to ANSWER_ORIGINS, or leave answerTo out`;
}
