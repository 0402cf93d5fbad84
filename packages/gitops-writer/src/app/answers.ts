/** How an `answerTo` is told. */
export type AnswerRules = {
  /** Origins that may be called. */
  readonly origins: readonly string[];
  /** Schemes of the registries that this writer answers by their own ways: `sas`, `mlflow`. */
  readonly schemes: readonly string[];
};

const isHttp = (answerTo: string): boolean => /^https?:/i.test(answerTo);

const schemeOf = (answerTo: string): string => (/^[a-z]+(?=:)/i.exec(answerTo)?.[0] ?? '').toLowerCase();

/** Which kind of answers tells this `answerTo`; undefined: none. */
export function answerVia(answerTo: string | undefined, { schemes }: AnswerRules): string | undefined {
  if (answerTo === undefined) return undefined;
  return isHttp(answerTo) ? 'http' : schemes.find((scheme) => scheme === schemeOf(answerTo));
}

/** Why an approval cannot be answered there, in words that follow `answerTo: `; undefined when it can. */
export function answerProblem(answerTo: string, rules: AnswerRules): string | undefined {
  if (!isHttp(answerTo)) {
    if (answerVia(answerTo, rules) !== undefined) return undefined;
    const others = rules.schemes.map((scheme) => `, or begin with ${scheme}:`).join('');
    return `must be an http or https URL${others}: this writer has no other way to answer`;
  }
  if (!URL.canParse(answerTo)) return 'is not a URL';
  const { origin, username, password, hash } = new URL(answerTo);
  if (username !== '' || password !== '') return 'must not hold a password: it is written into the Git history';
  if (hash !== '') return 'must not have a fragment';
  if (rules.origins.includes(origin)) return undefined;
  return `${origin} is not among the origins that this writer may call; add it to ANSWER_ORIGINS, or leave answerTo out`;
}
