/**
 * How verdicts come out of the same evidence. What changes a verdict's bytes is a new number, kept with the evidence: a stored
 * verdict is replayed as it was judged. From the next number on it belongs into the verdict's id too, so that a window that is judged anew
 * gets a verdict of its own.
 *
 * 1: a rule about each input of which no input can have a figure is one that cannot be evaluated: nothing is healthy with it.
 * 2: such a rule does not apply (policy/applies.ts).
 * 3: p1 and p25 count no input whose PSI chance explains; every PSI asks for `rowsPerBin`, not that of inputs alone; a loss between two
 *    figures without any error of their own (a perfect ranking, then the same score for all) is evident; a ranking needs
 *    `minimum.events` non-events too.
 * 4: a verdict says why rules could not be evaluated (`unanswered`), and of a loss or a segment what it lies between (`compared`); `p1` and `p25` are told
 *    as whole numbers.
 */
export const JUDGINGS = [1, 2, 3, 4] as const;
export type Judging = (typeof JUDGINGS)[number];
export const JUDGING: Judging = 4;

/** Which one a stored verdict may be of: the one that was kept, else any, newest first. Empty: it is of a later program. */
export const judgingsOf = (kept: number | null | undefined): readonly Judging[] =>
  JUDGINGS.filter((one) => kept === null || kept === undefined || one === kept).toReversed();
