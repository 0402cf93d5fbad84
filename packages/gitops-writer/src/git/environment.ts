export type GitAccess = {
  readonly url: string;
  readonly user: string;
  readonly token: string;
};

/** Exit code, output, and what git had to say; a non-zero code is an answer, not an error. */
export type GitResult = { readonly code: number; readonly stdout: string; readonly stderr: string };

/**
 * What git may know of its surroundings: where to find itself, a locale whose messages can be parsed, no configuration
 * of system or user, no prompts.
 */
export const gitEnvironment = (path: string | undefined): Record<string, string> => ({
  ...(path === undefined ? {} : { PATH: path }),
  LC_ALL: 'C.UTF-8',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
});

/**
 * The token as configuration in the environment of one child: in no URL, argument or file. Bound to the origin, so that
 * a redirect to another host does not carry it along.
 */
export function credentials({ url, user, token }: GitAccess): Record<string, string> {
  if (!/^https?:/.test(url)) return {};
  const basic = Buffer.from(`${user}:${token}`).toString('base64');
  return {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `http.${new URL(url).origin}/.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
  };
}
