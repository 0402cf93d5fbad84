import { type ErrorCode, FairwayError, redact } from '@fairway/core';

/**
 * The forge's own hook, which asks it whether a push is allowed, got no answer from it (GitLab; Gitea and Forgejo). Git calls that
 * "pre-receive hook declined" as well.
 */
const AWAY =
  /(internal )?API (is not accessible|unreachable|error)|Internal Server (Connection )?Error|unable to contact (gitea|forgejo)/i;
const FULL = /No space left on device|disk quota exceeded/i;

/** What a refused ref comes from, as git and forges put it (locale C). The first that fits counts. */
const REASONS: ReadonlyArray<readonly [RegExp, ErrorCode]> = [
  [FULL, 'disk.full'],
  [AWAY, 'git.unavailable'],
  // Rules first: GitHub words some of them with "cannot" and "failed to update" as well.
  [
    /GH0\d\d|hook declined|protected branch|push declined|repository rule|not allowed to (push|force|delete)/i,
    'git.refused',
  ],
  [/denyNonFastForwards|denyDeletes|deletion prohibited|deny updating|shallow update not allowed/i, 'git.refused'],
  // A ref moved under us. Forges wrap some of these as "remote rejected".
  [/non-fast-forward|fetch first|stale info|remote ref updated since checkout/i, 'git.race'],
  [
    /cannot lock ref|failed to (update|lock|write) ref|incorrect old value provided|reference already exists/i,
    'git.race',
  ],
  [/Base branch was modified|remote ref does not exist|already exists|was at [0-9a-f]+ but expected/i, 'git.race'],
  [/fsck error|index-pack (abnormal exit|failed)|invalid (ref|path|name)|bad (tree|commit|pack)/i, 'git.refused'],
];

/** A whole pack was refused: maybe for the sake of one of its refs. `words`: all that was said; smaller pushes mend no forge that is in trouble. */
export const isCommonRefusal = (reason: string, words = reason): boolean =>
  /pre-receive|push declined|unpacker error|unpack failed|HTTP 413|too large|repository rule/i.test(reason) &&
  ![FULL, AWAY].some((trouble) => trouble.test(words));

/** One ref that was not moved: a race, a refusal in the forge's own words, or a remote that could not. */
export function pushError(branch: string, summary: string, forge: string): FairwayError {
  const reason = `${summary} ${forge}`;
  const code = REASONS.find(([sign]) => sign.test(reason))?.[1] ?? 'git.unavailable';
  const words = redact([summary, forge].filter((part) => part !== '').join(': ')) || 'git gave no reason';
  switch (code) {
    case 'git.race':
      return new FairwayError(code, `Branch ${branch} moved while it was pushed (${words}); it is read again.`);
    case 'git.refused':
      return new FairwayError(
        code,
        `The forge refuses the push of ${branch}: ${words}. Check the token's rights and the branch rules.`,
      );
    case 'disk.full':
      return new FairwayError(code, `Branch ${branch} could not be pushed: no space is left (${words}); free some.`);
    default:
      return new FairwayError(code, `Branch ${branch} could not be pushed: ${words}.`);
  }
}
