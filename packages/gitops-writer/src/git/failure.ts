import { type ErrorCode, FairwayError, redact, urlOrigin } from '@fairway/core';
import type { GitResult } from './environment.ts';

/** The remote does not take name and token, whatever they may do there. */
const UNAUTHORISED =
  /Authentication failed|could not read (Username|Password)|returned error: 401|Invalid username or (password|token)/i;
export const isUnauthorised = ({ code, stderr }: GitResult): boolean => code !== 0 && UNAUTHORISED.test(stderr);

const NO_RIGHT = 'it does not take the credentials; check the token and its rights';
/** What git says (locale C) → what it means, and how to mend it. The first that fits counts. */
const MEANINGS: ReadonlyArray<readonly [RegExp, ErrorCode, string]> = [
  [/No space left on device|disk quota exceeded/i, 'disk.full', 'no space is left on the disk; free some'],
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed|host key is known for/i,
    'git.refused',
    'its SSH host key is unknown or has changed; compare it with the forge, then correct GIT_SSH_KNOWN_HOSTS_FILE',
  ],
  [
    /UNPROTECTED PRIVATE KEY FILE|Load key .*(error in libcrypto|invalid format|incorrect passphrase)|Permission denied \(/i,
    'git.refused',
    'it does not take the SSH key; see that GIT_SSH_KEY_FILE names a readable OpenSSH key without passphrase which may write to the repository',
  ],
  [/No user exists for uid/i, 'git.refused', 'ssh needs an entry in /etc/passwd for the user of the writer'],
  [
    /returned error: 30[12378]|Maximum \(0\) redirects|redirect/i,
    'git.refused',
    'it answers with a redirect, which is not followed with a token; set GIT_URL to where the repository is now',
  ],
  [
    /from promisor remote|lazy fetching disabled/i,
    'git.refused',
    'it is a partial clone and lacks objects; set GIT_URL to a repository that has them all',
  ],
  [UNAUTHORISED, 'git.refused', NO_RIGHT],
  [/returned error: 403/i, 'git.refused', NO_RIGHT],
  [
    /repository .* not found|returned error: 404|does not appear to be a git repository|project you were looking for could not be found/i,
    'git.refused',
    'there is no such repository, or the token may not see it; check GIT_URL and the rights of the token',
  ],
  [
    /certificate (problem|verification failed)|unable to get local issuer|self.signed certificate/i,
    'git.refused',
    'its certificate is not trusted; name the certificate authority in GIT_CA_FILE',
  ],
  [/cannot run ssh|ssh: not found|ssh: No such file/i, 'git.refused', 'there is no ssh client; install openssh-client'],
  [/it was silent for|Operation too slow|timed? ?out/i, 'git.unavailable', 'it does not answer'],
  [/returned error: 5\d\d|HTTP 5\d\d/i, 'git.unavailable', 'it answers with an error of its own'],
];

/** The host of a remote for messages, without user and path. */
export function placeOf(url: string): string {
  const [, host] = /^[^/@]+@([^/:]+):/.exec(url) ?? [];
  return host === undefined ? urlOrigin(url) : `ssh://${host}`;
}

/** A remote or a mirror that failed, in a sentence with git's own last words. */
export function gitFailure(url: string, command: string, output: string): FairwayError {
  const words = lastWords(output);
  const found = MEANINGS.find(([sign]) => sign.test(output));
  const from = `git ${command} failed for ${placeOf(url)}`;
  if (found === undefined) return new FairwayError('git.unavailable', `${from}: ${words}`);
  const [, code, mend] = found;
  // Access is the operator's to mend, and no change is lost meanwhile: a token that ran out at night must not end them all.
  return new FairwayError(code, `${from}: ${mend} (${words}).`, { disposition: 'retryable' });
}

export function expectOk(url: string, [command = '']: readonly string[], result: GitResult): string {
  if (result.code === 0) return result.stdout;
  throw gitFailure(url, command, result.stderr);
}

/**
 * The object database itself is damaged: it is made again, for it holds nothing that the remote does not. An object that is
 * not there ("bad object") is no damage: somebody asked for what was never fetched.
 */
export const isBroken = (words: string): boolean =>
  /((object file|loose object|packed object|packfile|index file) .*(is empty|corrupt|cannot be (accessed|mapped)|too (short|small)|does not match)|not a git repository|bad config|inflate: |wrong index|non-monotonic index)/i.test(
    words,
  );

const NOISE =
  /^(remote: )?(Enumerating|Counting|Compressing|Receiving|Resolving|Writing|Unpacking|Updating|Checking|Total|hint:)/;

/** The line that tells most, without secrets: what the forge or git call an error, else the last. */
export function lastWords(output: string): string {
  const lines = output
    .split(/[\r\n]/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !NOISE.test(line));
  const telling = lines.findLast((line) => /^(fatal|error|ssh):/.test(line)) ?? lines.at(-1);
  return redact(telling ?? '').slice(0, 400) || 'git gave no reason';
}
