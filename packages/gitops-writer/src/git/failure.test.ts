import { expect, it } from 'vitest';
import { gitFailure, isBroken, lastWords, placeOf } from './failure.ts';

it.each([
  ["fatal: Authentication failed for 'http://forge/x.git/'", 'git.refused', 'does not take the credentials'],
  [
    "fatal: unable to access 'http://forge/x.git/': The requested URL returned error: 403",
    'git.refused',
    'credentials',
  ],
  ["fatal: could not read Username for 'http://forge': terminal prompts disabled", 'git.refused', 'credentials'],
  ["fatal: repository 'http://forge/x.git/' not found", 'git.refused', 'no such repository'],
  ["fatal: '/srv/x.git' does not appear to be a git repository", 'git.refused', 'GIT_URL'],
  ["fatal: unable to access 'http://forge/x/': The requested URL returned error: 301", 'git.refused', 'redirect'],
  [
    "fatal: unable to access 'https://f/x/': SSL certificate problem: self-signed certificate",
    'git.refused',
    'GIT_CA_FILE',
  ],
  [
    "fatal: unable to access 'https://f/x/': server certificate verification failed. CAfile: none",
    'git.refused',
    'GIT_CA',
  ],
  [
    'Host key verification failed.\nfatal: Could not read from remote repository.',
    'git.refused',
    'GIT_SSH_KNOWN_HOSTS',
  ],
  [
    'git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.',
    'git.refused',
    'GIT_SSH_KEY_FILE',
  ],
  ['No user exists for uid 1000660000\nfatal: Could not read from remote repository.', 'git.refused', '/etc/passwd'],
  ['error: cannot run ssh: No such file or directory', 'git.refused', 'install openssh-client'],
  [
    "fatal: unable to access 'http://forge/x.git/': The requested URL returned error: 502",
    'git.unavailable',
    'of its own',
  ],
  ["fatal: unable to access 'http://forge/x.git/': Could not resolve host: forge", 'git.unavailable', 'resolve host'],
  ["fatal: unable to access 'http://forge/x.git/': Connection refused", 'git.unavailable', 'Connection refused'],
  ['ssh: connect to host h port 22: Connection timed out', 'git.unavailable', 'does not answer'],
  ['fatal: it was silent for 60000 ms', 'git.unavailable', 'does not answer'],
  ['fatal: write error: No space left on device', 'disk.full', 'free some'],
  ['', 'git.unavailable', 'no reason'],
])('reads %j as %s', (output, code, words) => {
  const error = gitFailure('http://forge/x.git', 'ls-remote', output);
  expect(error.code).toBe(code);
  expect(error.message).toContain(words);
});

it('names the host and nothing else of the address', () => {
  expect(placeOf('git@forge.example.com:bank/gitops.git')).toBe('ssh://forge.example.com');
  expect(placeOf('https://forge.example.com/bank/gitops.git?x=y')).toBe('https://forge.example.com');
});

it('finds the line that tells most, without progress and secrets', () => {
  const output = 'remote: Counting objects: 100%\rReceiving objects: 50%\nfatal: it is so\nhint: try again\n';
  expect(lastWords(output)).toBe('fatal: it is so');
  expect(lastWords('fatal: no https://u:secret@h/x')).not.toContain('secret');
});

it.each([
  ['error: packfile ./objects/pack/pack-1.pack does not match index', true],
  ['error: index file ./objects/pack/pack-1.idx is too small', true],
  ['error: object file ./objects/ab/cd is empty', true],
  ['fatal: packed object 1 (stored in ./objects/pack/p.pack) is corrupt', true],
  ['fatal: bad object 1', false],
  ['fatal: write error: No space left on device', false],
])('takes %j for damage: %s', (words, damaged) => expect(isBroken(words)).toBe(damaged));
