/** Name and token for the remote; undefined where it wants none (SSH, a local folder). */
export type Credentials = { readonly user: string; readonly token: string };

/** Asked before every command that talks to the remote, because a GitHub App's token lives one hour. */
export type CredentialSource = () => Promise<Credentials | undefined>;

/** Exit code, output, and what git had to say; a non-zero code is an answer, not an error. */
export type GitResult = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** A git that only talks to a remote which is silent for so long is ended by itself, helpers included. */
const LOW_SPEED_S = 60;

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
  GIT_ALLOW_PROTOCOL: 'https:http:ssh:file',
});

/**
 * The token as configuration in the environment of one child: in no URL, argument or file. Redirects are not followed,
 * because git would send the header along to wherever they point.
 */
export function httpEnvironment(
  url: string,
  credentials: Credentials | undefined,
  caFile?: string,
): Record<string, string> {
  if (!/^https?:/.test(url)) return {};
  const settings: Array<readonly [string, string]> = [
    ['http.followRedirects', 'false'],
    ['http.lowSpeedLimit', '1'],
    ['http.lowSpeedTime', String(LOW_SPEED_S)],
  ];
  if (caFile !== undefined) settings.push(['http.sslCAInfo', caFile]);
  if (credentials !== undefined) {
    const basic = Buffer.from(`${credentials.user}:${credentials.token}`).toString('base64');
    settings.push([`http.${new URL(url).origin}/.extraHeader`, `Authorization: Basic ${basic}`]);
  }
  const entries = settings.flatMap(([key, value], i) => [
    [`GIT_CONFIG_KEY_${i}`, key],
    [`GIT_CONFIG_VALUE_${i}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(settings.length), ...(Object.fromEntries(entries) as Record<string, string>) };
}
