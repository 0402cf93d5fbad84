import { cellText, type ClassBaseline, type ProfileCount, type Target } from '@fairway/core';
import { argMax, classCells } from '../metrics/class-counts.ts';
import type { Classed } from '../ports.ts';
import { type Counted, countCells } from './count-cells.ts';

type Outputs = Readonly<Record<string, unknown>>;

/** How a version's answers are read: its target, and the classes of its baseline. */
export type Answering = {
  readonly target: Pick<Target, 'probability' | 'classification'>;
  readonly classification: ClassBaseline;
};

/**
 * What an answer says of the classes: a list of probabilities in one output (`[[0.1, 0.7, 0.2], …]`), which a list of names
 * beside it may put in another order (`classes`, as TensorFlow's classifiers give it), or an output for each class; the class
 * itself by name or index, else the likeliest one. What cannot be read is unknown, never guessed.
 */
export function classAnswer(view: string, { target, classification }: Answering): Classed {
  const outputs = JSON.parse(view) as Outputs;
  const { classes } = classification;
  const said = plain(
    (target.classification === undefined ? undefined : outputs[target.classification]) ?? outputs['classes'],
  );
  const names = Array.isArray(said) ? said.map((name) => classOf(classes, plain(name))) : undefined;
  const probabilities = probabilitiesOf(outputs, target.probability, classification, names);
  const k = classes.length;
  if (said !== undefined && said !== null && names === undefined) {
    return { k, predicted: classOf(classes, said) ?? -1, probabilities };
  }
  return { k, predicted: probabilities === null ? -1 : argMax(probabilities), probabilities };
}

function probabilitiesOf(
  outputs: Outputs,
  output: string,
  { classes, columns }: ClassBaseline,
  names: ReadonlyArray<number | undefined> | undefined,
): readonly number[] | null {
  const inColumns = columns.length > 0 && columns.every((name) => name in outputs);
  const given = inColumns ? columns.map((name) => outputs[name]) : listIn(outputs, output, classes.length);
  if (given === undefined || given.length !== classes.length || !given.every(isProbability)) return null;
  if (inColumns || names === undefined || names.length !== given.length) return given;
  const ordered = classes.map((_, at) => given[names.indexOf(at)]);
  return ordered.every(isProbability) ? ordered : null;
}

/** The declared output, else the only one that is a list of as many numbers as there are classes. */
function listIn(outputs: Outputs, output: string, k: number): readonly unknown[] | undefined {
  const declared = outputs[output];
  if (Array.isArray(declared)) return declared;
  const lists = Object.values(outputs).filter(
    (value): value is number[] => Array.isArray(value) && value.length === k && value.every(isProbability),
  );
  return lists.length === 1 ? lists[0] : undefined;
}

const isProbability = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= 1;

/** Bytes and large whole numbers stand as a tag in the view. */
const plain = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && '$' in value ? (value as { value?: unknown }).value : value;

/**
 * Which class a name or an index means. Where classes are called by numbers, a number is a name; elsewhere a whole number counts
 * from 0. undefined: none of them.
 */
export function classOf(classes: readonly string[], given: unknown): number | undefined {
  if (typeof given !== 'number' && typeof given !== 'string') return undefined;
  const text = typeof given === 'number' ? String(given) : cellText(given);
  if (text === null) return undefined;
  const named = classes.indexOf(text);
  if (named >= 0) return named;
  const number = Number(text);
  const same = Number.isFinite(number) ? classes.findIndex((name) => name !== '' && Number(name) === number) : -1;
  if (same >= 0) return same;
  const byIndex = Number.isInteger(number) && number >= 0 && number < classes.length && !hasNumbers(classes);
  return byIndex ? number : undefined;
}

const hasNumbers = (classes: readonly string[]): boolean =>
  classes.some((name) => name.trim() !== '' && Number.isFinite(Number(name)));

/** Names of true classes that the baseline lacks are kept once, under keys that no label can be (store/class-names.ts). */
const NAME_KEY = 2 ** 200;
export const nameKey = (number: number): number => number * NAME_KEY;
export const isNameKey = (label: number): boolean => label >= NAME_KEY;

/**
 * How a true class is kept: its index, or what says that the baseline lacks it: the key of its name, −1 − n of a number n. undefined:
 * it cannot be a class at all.
 */
export function truthOf(
  classes: readonly string[],
  given: number | string,
  keys: ReadonlyMap<string, number>,
): number | undefined {
  const known = classOf(classes, given);
  if (known !== undefined) return known;
  if (typeof given === 'string') return keys.get(given);
  return Number.isInteger(given) && given >= 0 && given <= Number.MAX_SAFE_INTEGER ? -1 - given : undefined;
}

type Row = Counted & { readonly classed?: Classed | undefined };

/** Counts of predictions among several classes, and of their labels; rows of other models give none. */
export const classCounts = (rows: readonly Row[]): ProfileCount[] =>
  countCells(rows, ({ classed, label }) => (classed === undefined ? [] : classCells(classed, label, classed.k)));
