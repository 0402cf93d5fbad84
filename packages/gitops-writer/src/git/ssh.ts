export type SshAccess = {
  /** OpenSSH private key, without a passphrase. */
  readonly keyFile: string;
  /** The host keys that are trusted; nothing else is. */
  readonly knownHostsFile: string;
};

/** `ssh://…` or `user@host:path`. */
export const isSsh = (url: string): boolean => url.startsWith('ssh://') || /^\w[\w.-]*@\w[\w.-]*:(?!\/\/)/.test(url);

/**
 * ssh with one key and one list of host keys: no agent, no configuration of a user, no question. An unknown or changed
 * host key ends the connection.
 */
export function sshEnvironment(url: string, access: SshAccess | undefined): Record<string, string> {
  if (!isSsh(url) || access === undefined) return {};
  const options = [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${inConfig(access.knownHostsFile)}`,
    'GlobalKnownHostsFile=/dev/null',
    'UpdateHostKeys=no',
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    `IdentityFile=${inConfig(access.keyFile)}`,
    'PreferredAuthentications=publickey',
    'ForwardAgent=no',
    'ConnectTimeout=20',
    // A dead connection is noticed after a minute.
    'ServerAliveInterval=20',
    'ServerAliveCountMax=3',
  ];
  const command = ['ssh', '-F', '/dev/null', ...options.flatMap((option) => ['-o', option])];
  return { GIT_SSH_COMMAND: command.map(inShell).join(' '), GIT_SSH_VARIANT: 'ssh' };
}

/** Git gives the command to a shell. */
const inShell = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A value as in ssh_config(5): quoted, because blanks part values; `%` begins a token. */
const inConfig = (path: string): string => `"${path.replaceAll('%', '%%')}"`;
