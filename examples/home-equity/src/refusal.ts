import type { Compared } from './retrain.ts';

/** What the retrain Job asked of the candidate. */
export type Asked = { readonly version: string; readonly margin: number; readonly z: number | undefined };

/** Why the gate refused a candidate, as a sentence. */
export function refusalOf(
  { candidate, champion, difference, interval }: Compared,
  { version, margin, z }: Asked,
): string {
  if (Number.isNaN(difference)) {
    return `A score of version ${version} or of the candidate is no number, so they cannot be compared; the champion stays.`;
  }
  const by = Math.abs(difference).toFixed(4);
  const how =
    difference > 0 ? `exceeds ${of(champion, version)} by ${by}` : `lies ${by} below ${of(champion, version)}`;
  const known = interval === null ? '' : ` (95 %: ${interval.map((end) => end.toFixed(4)).join(' to ')})`;
  const beyond = z === undefined ? '' : `, ${z} standard errors beyond chance`;
  return `The candidate's AUC of ${candidate.auc.toFixed(4)} on held-out loans ${how}${known}; asked for was a difference of at least ${margin}${beyond}. The champion stays.`;
}

const of = ({ auc }: Compared['champion'], version: string): string => `the ${auc.toFixed(4)} of version ${version}`;
