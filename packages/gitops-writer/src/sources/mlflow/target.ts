import type { Baseline, Target, TensorSpec } from '@fairway/core';
import type { Tags } from './registry.ts';

/** What a version of MLflow, its files and its baseline tell of what it predicts. */
export type Said = {
  readonly versionTags: Tags;
  /** ModelProperties.json. */
  readonly properties: Readonly<Record<string, unknown>>;
  readonly modelTags: Tags;
  readonly baseline: Pick<Baseline, 'regression' | 'classification'> | undefined;
  /** Output with the class, as outputVar.json has it. */
  readonly nominal: string | undefined;
  /** Of the SavedModel. */
  readonly outputs: ReadonlyArray<Pick<TensorSpec, 'name'>>;
};

const FIELDS = {
  level: { tag: 'fairway.level', property: 'targetLevel' },
  variable: { tag: 'fairway.target', property: 'targetVariable', about: 'the column of the true outcome' },
  event: { tag: 'fairway.event', property: 'targetEvent', about: 'the value of it that counts as the event' },
  probability: {
    tag: 'fairway.probability',
    property: 'eventProbVar',
    about: 'the output with the probability of the event',
  },
  prediction: { tag: 'fairway.prediction', property: 'predictionVariable', about: 'the output with the number' },
  classification: { tag: 'fairway.classification', property: '' },
} as const;

const LEVELS = ['binary', 'nominal', 'interval'] as const;
type Level = (typeof LEVELS)[number];

/**
 * A tag of the version tells first, then the properties that SAS Model Manager would have, then a tag of the registered model. Whether
 * an event, a number or one of several classes is predicted, the baseline tells where nothing else does: it was made with the labels.
 * What only one thing can be (the number's output in the baseline, the only output) need not be said; nothing else is taken for granted.
 */
export function targetSaid(said: Said): { readonly target: Target | undefined; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const level = levelOf(said, problems);
  const need = (field: 'variable' | 'event' | 'probability' | 'prediction', known?: string): string => {
    const { tag, about } = FIELDS[field];
    const value = valueOf(said, field) ?? known;
    if (value === undefined)
      problems.push(`tag ${tag} is missing: set it, on the version or on the registered model, to ${about}`);
    return value ?? '';
  };
  const target = TARGETS[level](said, need);
  const isWhole = target.variable !== '' && target.probability !== '' && (level !== 'binary' || target.event !== '');
  return { target: isWhole ? target : undefined, problems };
}

type Need = (field: 'variable' | 'event' | 'probability' | 'prediction', known?: string) => string;

const TARGETS: Readonly<Record<Level, (said: Said, need: Need) => Target>> = {
  binary: (said, need) => ({
    variable: need('variable'),
    event: need('event'),
    probability: need('probability'),
    ...classOutput(said),
  }),
  interval: ({ baseline, outputs }, need) => ({
    variable: need('variable'),
    level: 'interval',
    event: '',
    probability: need('prediction', baseline?.regression?.prediction.name ?? onlyOne(outputs)),
  }),
  nominal: (said, need) => ({
    variable: need('variable'),
    event: valueOf(said, 'event') ?? '',
    probability: need('probability', said.baseline?.classification?.columns[0] ?? onlyOne(said.outputs)),
    ...classOutput(said),
  }),
};

const classOutput = (said: Said): Pick<Target, 'classification'> => {
  const classification = valueOf(said, 'classification') ?? said.nominal;
  return classification === undefined ? {} : { classification };
};

const onlyOne = (outputs: Said['outputs']): string | undefined => (outputs.length === 1 ? outputs[0]?.name : undefined);

function levelOf(said: Said, problems: string[]): Level {
  const { baseline } = said;
  const counted: Level =
    baseline?.regression !== undefined ? 'interval' : baseline?.classification !== undefined ? 'nominal' : 'binary';
  const given = valueOf(said, 'level')?.toLowerCase();
  if (given === undefined) return counted;
  const level = LEVELS.find((one) => one === given);
  if (level === undefined) {
    problems.push(`tag ${FIELDS.level.tag} is ${given.slice(0, 40)}: set it to binary, nominal or interval`);
    return counted;
  }
  // Two classes may be called nominal; numbers and events are never the same.
  if (baseline !== undefined && (level === 'interval') !== (counted === 'interval')) {
    problems.push(
      `the target level is ${level}, but baseline.json was made for ${counted === 'interval' ? 'a number' : 'an event or classes'}: make it again with fairway baseline, --label naming the target`,
    );
  }
  return level === 'nominal' && counted === 'binary' ? 'binary' : level;
}

function valueOf({ versionTags, properties, modelTags }: Said, field: keyof typeof FIELDS): string | undefined {
  const { tag, property } = FIELDS[field];
  return [versionTags[tag], textOf(properties[property]), modelTags[tag]].find(
    (value) => value !== undefined && value !== '',
  );
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'number' ? String(value) : typeof value === 'string' ? value : undefined;
