import { json, refuse } from '../../web/http.ts';
import type { Call, Route } from '../../web/router.ts';
import { type Forge, now, repositoryOf } from '../forge.ts';
import { resolve } from '../objects.ts';
import { repositoryPayload, statusPayload } from '../payloads.ts';
import { STATUS_STATES, type StatusState } from '../state.ts';
import { paged, readFields } from './input.ts';
import type { Signed } from './signed.ts';

const REPO = '/repos/:owner/:repo';

export const statusRoutes = (forge: Forge, signed: Signed): Route[] => [
  {
    method: 'POST',
    path: `${REPO}/statuses/:sha`,
    answer: signed(async ({ user, repository, call, params }) => {
      const wanted = await readFields(call);
      const sha = (await resolve(forge.git(repository), params['sha'] ?? '')) ?? refuse(404, 'commit does not exist');
      const state =
        STATUS_STATES.find((name) => name === wanted.required('state')) ?? refuse(422, '[State]: is unknown');
      const status = await forge.store.change(repository, (draft) => {
        const status: StatusState = {
          id: draft.nextId,
          sha,
          state,
          context: wanted.text('context') || 'default',
          description: wanted.text('description') ?? '',
          targetUrl: wanted.text('target_url') ?? '',
          creator: user.name,
          createdAt: now(forge),
        };
        draft.nextId += 1;
        draft.statuses.push(status);
        return status;
      });
      return json(201, statusPayload(forge, repository, status));
    }),
  },
  { method: 'GET', path: `${REPO}/statuses/:sha`, answer: (call) => listStatuses(forge, call) },
  { method: 'GET', path: `${REPO}/commits/:sha/statuses`, answer: (call) => listStatuses(forge, call) },
  { method: 'GET', path: `${REPO}/commits/:sha/status`, answer: (call) => combinedStatus(forge, call) },
];

/** The commit's statuses, newest first. */
async function statusesOf(forge: Forge, { params }: Call) {
  const repository = repositoryOf(forge, params['owner'], params['repo']);
  const found = await resolve(forge.git(repository), params['sha'] ?? '');
  const sha = found ?? refuse(404, "The target couldn't be found.");
  return { repository, sha, statuses: repository.statuses.filter((status) => status.sha === sha).reverse() };
}

async function listStatuses(forge: Forge, call: Call) {
  const { repository, statuses } = await statusesOf(forge, call);
  const { items, headers } = paged(call, statuses);
  return json(
    200,
    items.map((status) => statusPayload(forge, repository, status)),
    headers,
  );
}

async function combinedStatus(forge: Forge, call: Call) {
  const { repository, sha, statuses } = await statusesOf(forge, call);
  const latest = latestByContext(statuses);
  const api = `${forge.url}/api/v1/repos/${repository.owner}/${repository.name}`;
  return json(200, {
    state: combine(latest),
    sha,
    total_count: latest.length,
    statuses: latest.map((status) => statusPayload(forge, repository, status)),
    repository: repositoryPayload(forge, repository),
    commit_url: `${api}/commits/${sha}`,
    url: `${api}/commits/${sha}/status`,
  });
}

/** Of statuses newest first, the newest of each context. */
export function latestByContext(statuses: readonly StatusState[]): StatusState[] {
  const latest = new Map<string, StatusState>();
  for (const status of statuses) if (!latest.has(status.context)) latest.set(status.context, status);
  return [...latest.values()];
}

const WORST_FIRST = ['error', 'failure', 'warning', 'pending', 'success'] as const;

/** The worst state; Gitea's empty text when there is none. */
const combine = (statuses: readonly Pick<StatusState, 'state'>[]): string =>
  WORST_FIRST.find((state) => statuses.some((status) => status.state === state)) ?? '';
