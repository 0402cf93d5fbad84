import type { Clock } from '@fairway/core';
import { type Remote, type RemoteAnswer, type RemoteBytes, remote } from '@fairway/remote';
import type { z } from 'zod';
import { refusalOf, refused, senseless } from './refusal.ts';
import type { SasSettings } from './settings.ts';
import { tokens } from './token.ts';

/** `etag`: as it came, weak or strong; undefined on lists and on some answers of 3.5. */
export type Single<T> = { readonly value: T; readonly etag: string | undefined };

/**
 * SAS Viya behind its ingress. `what` continues "SAS refuses …". Cookies are not kept: the ingress sets one so that a session
 * stays on one of its servers, and no call of ours needs that.
 */
export type SasServer = {
  /** One resource. */
  readonly read: <T extends z.ZodType>(path: string, schema: T, what: string) => Promise<Single<z.infer<T>>>;
  /** One resource; undefined where a service of SAS says 404. A 404 of the ingress is an error: there is no such service. */
  readonly find: <T extends z.ZodType>(
    path: string,
    schema: T,
    what: string,
  ) => Promise<Single<z.infer<T>> | undefined>;
  /** Whatever is answered, refusals included, unless nobody answers. */
  readonly call: Remote['call'];
  readonly download: (path: string, what: string) => Promise<RemoteBytes>;
  readonly close: () => void;
};

const NAME = 'SAS Viya';

export type SasClient = Pick<SasSettings, 'url' | 'logon' | 'caFile'> & { readonly clock: Clock };

export function sasServer({ url, logon, caFile, clock }: SasClient): SasServer {
  const common = { base: url, name: NAME, setting: 'SAS_URL', caFile };
  const logonServer = remote({ ...common, name: 'The SAS logon', secrets: () => held.secrets() });
  const held = tokens(logon, logonServer, clock);
  const api = remote({
    ...common,
    headers: async () => ({ accept: ACCEPT, authorization: await held.authorization() }),
    unauthorized: (answer, sent) => {
      if (!isExpired(answer)) return Promise.resolve(false);
      held.forget(sent['authorization']);
      return Promise.resolve(true);
    },
    secrets: () => held.secrets(),
  });
  return {
    read: async (path, schema, what) => single(schema, await api.call('GET', path), what),
    find: async (path, schema, what) => {
      const answer = await api.call('GET', path);
      return isNone(answer) ? undefined : single(schema, answer, what);
    },
    call: api.call,
    download: async (path, what) => downloaded(await api.download(path, { headers: { accept: '*/*' } }), what),
    close: () => {
      logonServer.close();
      api.close();
    },
  };
}

/** Some of SAS's own types come in JSON only; all are asked for, and none is believed. */
const ACCEPT = 'application/json, application/vnd.sas.collection+json, */*;q=0.5';

const isExpired = ({ headers, text }: RemoteAnswer): boolean =>
  /access token expired|invalid_token/i.test(`${headers['www-authenticate'] ?? ''} ${text.slice(0, 1_000)}`);

const isNone = (answer: RemoteAnswer): boolean => answer.status === 404 && !refusalOf(answer).isPage;

const single = <T extends z.ZodType>(schema: T, answer: RemoteAnswer, what: string): Single<z.infer<T>> => ({
  value: parsed(schema, accepted(answer, what), what),
  etag: answer.headers['etag'],
});

/** The answer, when it is a success. */
export function accepted(answer: RemoteAnswer, what: string): RemoteAnswer {
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw refused(what, refusalOf(answer));
}

/** The JSON of an answer as `schema` has it. */
export function parsed<T extends z.ZodType>(schema: T, answer: RemoteAnswer, what: string): z.infer<T> {
  if (typeof answer.data !== 'object' || answer.data === null) throw senseless(what, answer, 'its answer is no JSON');
  const { success, data, error } = schema.safeParse(answer.data);
  if (success) return data;
  const [issue] = error.issues;
  const where = issue === undefined || issue.path.length === 0 ? 'the answer' : issue.path.join('.');
  throw senseless(what, answer, `${where} is not what it should be (${issue?.message ?? 'unknown'})`);
}

async function downloaded(answer: RemoteBytes, what: string): Promise<RemoteBytes> {
  const isPage = /html/i.test(answer.headers['content-type'] ?? '');
  if (answer.status === 200 && !isPage) return answer;
  const whole = { ...answer, ...(await beginning(answer)) };
  throw answer.status === 200 ? senseless(what, whole, 'its answer is no file') : refused(what, refusalOf(whole));
}

/** As much of a refusal as is worth reading. */
async function beginning({ body }: RemoteBytes): Promise<{ text: string; data: unknown }> {
  let text = '';
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      text += chunk.toString('utf8');
      if (text.length > 20_000) break;
    }
    return { text, data: JSON.parse(text) as unknown };
  } catch {
    return { text, data: undefined };
  } finally {
    body.destroy();
  }
}
