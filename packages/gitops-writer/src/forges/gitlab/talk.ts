import { z } from 'zod';
import type { CommitStatus } from '../../ports.ts';
import { expectOk, isOk, parsed, refused, saying } from '../http/answer.ts';
import type { ForgeClient } from '../http/client.ts';
import { byNextPage, itemsOf } from '../http/pages.ts';
import { clipped, isMarked, reviewersOf, sameText } from '../http/words.ts';
import { asText } from './commands.ts';

const noteSchema = z.object({ id: z.int(), body: z.string(), system: z.boolean().nullish() });
const userSchema = z.object({ id: z.int(), username: z.string() });
const statusSchema = z.object({
  name: z.string(),
  status: z.string(),
  description: z.string().nullish(),
  target_url: z.string().nullish(),
});
const PAGE = 50;
const STATUS_TEXT = 255;

export type People = {
  /** Ids of reviewers; who is not known, teams (GitLab has none to ask) and the token's own user are left out. */
  idsOf(names: readonly string[]): Promise<number[]>;
};

/** GitLab wants ids of users; they are remembered. */
export function people(call: ForgeClient): People {
  const known = new Map<string, number | undefined>();
  let own: number | undefined;
  const idOf = async (name: string): Promise<number | undefined> => {
    if (known.has(name)) return known.get(name);
    const answer = await call('GET', '/users', { query: { username: name } });
    const found = parsed(z.array(userSchema), `the search for user ${name}`, answer);
    const id = found.find(({ username }) => username.toLowerCase() === name.toLowerCase())?.id;
    if (id !== undefined) known.set(name, id);
    return id;
  };
  return {
    idsOf: async (names) => {
      const { users } = reviewersOf(names);
      if (users.length === 0) return [];
      own ??= parsed(userSchema, "the token's own user", await call('GET', '/user')).id;
      const ids: number[] = [];
      for (const name of users) {
        const id = await idOf(name);
        if (id !== undefined && id !== own) ids.push(id);
      }
      return ids;
    },
  };
}

export async function comment(
  call: ForgeClient,
  path: string,
  number: number,
  marker: string,
  text: string,
): Promise<void> {
  const doing = `a note on merge request !${number}`;
  const notes = `${path}/merge_requests/${number}/notes`;
  const body = `${asText(text)}\n\n${marker}`;
  const query = { sort: 'asc', order_by: 'created_at', per_page: PAGE };
  for await (const own of itemsOf(call, byNextPage, noteSchema, doing, notes, query)) {
    if (own.system === true || !isMarked(own.body, marker)) continue;
    if (sameText(own.body, body)) return;
    const answer = await call('PUT', `${notes}/${own.id}`, { body: { body } });
    if (isOk(answer)) return;
    // Somebody who quoted the marker wrote it; it is theirs.
    if (answer.status !== 401 && answer.status !== 403 && answer.status !== 404) throw refused(doing, answer);
  }
  expectOk(doing, await call('POST', notes, { body: { body } }));
}

/** GitLab refuses a state that is there already (400), so it is read first; what is refused all the same was said meanwhile. */
export async function setStatus(call: ForgeClient, path: string, commit: string, status: CommitStatus): Promise<void> {
  const { context, url } = status;
  const doing = `a status of commit ${commit.slice(0, 12)}`;
  const state = status.state === 'failure' ? 'failed' : status.state;
  const description = clipped(status.description, STATUS_TEXT);
  // The newest of each name, where not all are asked for.
  const listed = await call('GET', `${path}/repository/commits/${commit}/statuses`, { query: { name: context } });
  const statuses = isOk(listed) ? parsed(z.array(statusSchema), doing, listed) : [];
  const last = statuses.find(({ name }) => name === context);
  const isSame = last?.status === state && last.description === description && (last.target_url ?? undefined) === url;
  if (isSame) return;
  const body = { state, name: context, description, ...(url === undefined ? {} : { target_url: url }) };
  const answer = await call('POST', `${path}/statuses/${commit}`, { body });
  const isThere = [400, 409].includes(answer.status) && /cannot transition status/i.test(saying(answer.data));
  if (!isThere) expectOk(doing, answer);
}
