import { FairwayError, redact } from '@fairway/core';

/** A ref moved under us: read again and retry. Forges wrap some of these as "remote rejected". */
const RACES = [
  /non-fast-forward/,
  /stale info/,
  /cannot lock ref/,
  /incorrect old value provided/,
  /fetch first/,
  /failed to update ref/,
];
/** The forge's rules say no, and will say so again. */
const REFUSALS = [
  /GH006/,
  /GH013/,
  /hook declined/,
  /protected branch/i,
  /Authentication failed/i,
  /returned error: 40[13]/,
  /could not read Username/i,
];

/** Sorts what a failed push printed (locale C): race, refusal by the forge in its own words, or a remote that is away. */
export function pushError(branch: string, output: string): FairwayError {
  const words = redact(lastWords(output));
  if (/No space left on device/i.test(output)) {
    return new FairwayError('disk.full', `Branch ${branch} could not be pushed: no space left (${words}).`);
  }
  if (RACES.some((race) => race.test(output))) {
    return new FairwayError('git.race', `Branch ${branch} moved while it was pushed (${words}); it is read again.`);
  }
  if (REFUSALS.some((refusal) => refusal.test(output))) {
    return new FairwayError(
      'git.refused',
      `The forge refuses the push of ${branch}: ${words}. Check the token's rights and the branch rules.`,
    );
  }
  return new FairwayError('git.unavailable', `Branch ${branch} could not be pushed: ${words}`);
}

function lastWords(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const telling = lines.find((line) => line.startsWith('!') || /^(fatal|error|remote):/.test(line));
  return (telling ?? lines.at(-1) ?? 'git gave no reason').trim();
}
