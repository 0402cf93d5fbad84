import type { Reply } from './dialect.ts';
import type { Ask } from './route.ts';

/** Who may log on, and the tokens that are good. */
export type FakeLogon = {
  readonly client: { id: string; secret: string };
  readonly user: { name: string; password: string };
  refreshToken: string;
  /** Each refresh gives another one and voids the last. */
  rotates: boolean;
  expiresIn: number;
  /** Tokens that the API takes. */
  readonly good: Set<string>;
  /** How many logons were answered with a token. */
  logons: number;
  /** Answers instead of the next ones. */
  readonly answers: Reply[];
  /** Requests for a token, as they came. */
  readonly asked: Array<{ readonly url: string; readonly form: URLSearchParams }>;
};

export const fakeLogon = (): FakeLogon => ({
  client: { id: 'fairway', secret: 'client-s3cret' },
  user: { name: 'robot', password: 'user-p4ssword' },
  refreshToken: 'refresh-0000',
  rotates: false,
  expiresIn: 3_599,
  good: new Set(),
  logons: 0,
  answers: [],
  asked: [],
});

const refused = (status: number, error: string, description: string): Reply => ({
  status,
  headers: { 'Content-Type': 'application/json;charset=UTF-8' },
  json: { error, error_description: description },
});

export function answerLogon(logon: FakeLogon, { headers, text, path }: Ask, url: string): Reply {
  const form = new URLSearchParams(text);
  logon.asked.push({ url, form });
  const forced = logon.answers.shift();
  if (forced !== undefined) return forced;
  if (path !== '/SASLogon/oauth/token') return refused(404, 'not_found', 'No such endpoint');
  if (!headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
    return refused(415, 'unsupported', 'Content type not supported');
  }
  const basic = Buffer.from((headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString('utf8');
  const [id, secret] = [basic.slice(0, basic.indexOf(':')), basic.slice(basic.indexOf(':') + 1)];
  const isSasClient = id === 'sas.ec' && secret === '';
  // One sentence for a wrong user and for a wrong client.
  const bad = refused(401, 'unauthorized', 'Bad credentials');
  if (!isSasClient && (id !== logon.client.id || secret !== logon.client.secret)) return bad;
  const grant = form.get('grant_type');
  if (grant === 'client_credentials' && isSasClient) {
    return refused(401, 'invalid_client', 'Unauthorized grant type: client_credentials');
  }
  if (grant === 'password') {
    const isUser = form.get('username') === logon.user.name && form.get('password') === logon.user.password;
    if (!isUser) return bad;
  }
  if (grant === 'refresh_token' && form.get('refresh_token') !== logon.refreshToken) {
    return refused(401, 'invalid_token', 'Invalid refresh token (expired): the token has expired');
  }
  return given(logon, grant);
}

function given(logon: FakeLogon, grant: string | null): Reply {
  logon.logons += 1;
  const token = `token-of-logon-${logon.logons}`;
  logon.good.add(token);
  if (grant === 'refresh_token' && logon.rotates) logon.refreshToken = `refresh-000${logon.logons}`;
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json;charset=UTF-8', 'Cache-Control': 'no-store' },
    json: {
      access_token: token,
      token_type: 'bearer',
      expires_in: logon.expiresIn,
      scope: 'uaa.none',
      jti: 'j',
      ...(grant === 'refresh_token' ? { refresh_token: logon.refreshToken } : {}),
    },
  };
}
