import { commits } from '../../../packages/cli/src/stack/forge/objects.ts';
import { type FakeGitlab, inProject, onRequest, PROJECT, refusal } from './gitlab-requests.ts';
import { type FakeComment, type FakeRepository, type FakeStatus, newId } from './repository.ts';
import { type FakeReply, type FakeRequest, type FakeRoute, linkOf, pageOf, textIn } from './web.ts';

const notePayload = ({ id, author, text, system }: FakeComment) => ({
  id,
  body: text,
  system,
  author: { username: author },
});
const carPayload = (queued: number) => ({ id: queued, status: 'fresh', target_branch: 'main' });
const NOTES = `${PROJECT}/merge_requests/(\\d+)/notes`;
const CAR = `${PROJECT}/merge_trains/merge_requests/(\\d+)`;

export const gitlabTalkRoutes = (gitlab: FakeGitlab): FakeRoute[] => [
  ...noteRoutes(gitlab),
  ...statusRoutes(gitlab),
  ...trainRoutes(gitlab),
  {
    method: 'GET',
    path: /^\/user$/,
    answer: ({ user }) => ({ status: 200, body: { id: gitlab.users.get(user), username: user } }),
  },
  {
    method: 'GET',
    path: /^\/users$/,
    answer: ({ query }) => {
      const found = [...gitlab.users].filter(([name]) => name.toLowerCase() === query.get('username')?.toLowerCase());
      return { status: 200, body: found.map(([username, id]) => ({ id, username })) };
    },
  },
];

const noteRoutes = (gitlab: FakeGitlab): FakeRoute[] => [
  {
    method: 'GET',
    path: new RegExp(`^${NOTES}$`),
    answer: onRequest(gitlab, (pull, request) => {
      const all = request.query.get('sort') === 'asc' ? pull.comments : [...pull.comments].reverse();
      const page = pageOf(request.query, all, 20, gitlab.pageCap);
      const next = { 'x-next-page': page.more ? String(page.page + 1) : '' };
      const headers = { ...next, ...linkOf(gitlab.api(), request, page) };
      return { status: 200, body: page.items.map(notePayload), headers };
    }),
  },
  {
    method: 'POST',
    path: new RegExp(`^${NOTES}$`),
    answer: onRequest(gitlab, (pull, { body, user }) => {
      const note = { id: newId(), author: user, text: textIn(body, 'body') ?? '', system: false };
      pull.comments.push(note);
      return { status: 201, body: notePayload(note) };
    }),
  },
  {
    method: 'PUT',
    path: new RegExp(`^${NOTES}/(\\d+)$`),
    answer: onRequest(gitlab, (pull, { params, body, user }) => {
      const note = pull.comments.find(({ id }) => String(id) === params[2]);
      if (note === undefined) return refusal(404, '404 Note Not Found');
      if (note.author !== user) return refusal(403, '403 Forbidden');
      note.text = textIn(body, 'body') ?? note.text;
      return { status: 200, body: notePayload(note) };
    }),
  },
];

const statusRoutes = (gitlab: FakeGitlab): FakeRoute[] => [
  {
    method: 'GET',
    path: new RegExp(`^${PROJECT}/repository/commits/([0-9a-f]{40})/statuses$`),
    answer: inProject(gitlab, async (project, { params, query }) => {
      const sha = params[1] ?? '';
      if (!(await exists(project, sha))) return refusal(404, '404 Commit Not Found');
      const latest = new Map<string, FakeStatus>();
      for (const status of project.statuses.get(sha) ?? []) latest.set(status.context, status);
      const body = [...latest.values()]
        .filter(({ context }) => (query.get('name') ?? context) === context)
        .map(({ context: name, state: status, description, url }) => ({
          name,
          status,
          description,
          target_url: url === '' ? null : url,
        }));
      return { status: 200, body };
    }),
  },
  {
    method: 'POST',
    path: new RegExp(`^${PROJECT}/statuses/([0-9a-f]{40})$`),
    answer: inProject(gitlab, (project, request) => setStatus(project, request)),
  },
];

const exists = async ({ git }: FakeRepository, sha: string): Promise<boolean> =>
  (await commits(git, sha, 1).catch(() => [])).length > 0;

const LONGEST_STATUS = 255;
const EVENTS: Readonly<Record<string, string>> = { pending: 'enqueue', running: 'run' };

async function setStatus(project: FakeRepository, { params, body }: FakeRequest): Promise<FakeReply> {
  const sha = params[1] ?? '';
  if (!(await exists(project, sha))) return refusal(404, '404 Commit Not Found');
  const [state = '', description = '', url = ''] = ['state', 'description', 'target_url'].map((n) => textIn(body, n));
  const context = textIn(body, 'name') ?? textIn(body, 'context') ?? 'default';
  if (!['pending', 'running', 'success', 'failed', 'canceled'].includes(state))
    return { status: 400, body: { error: 'state does not have a valid value' } };
  if (description.length > LONGEST_STATUS)
    return refusal(400, { description: ['is too long (maximum is 255 characters)'] });
  const all = project.statuses.get(sha) ?? [];
  const last = all.findLast((status) => status.context === context);
  // A status that is not finished is the one that changes; then only to another state.
  if (last?.state === state && EVENTS[state] !== undefined) {
    const reason = `Cannot transition status via :${EVENTS[state]} from :${state}`;
    return refusal(400, `${reason} (Reason(s): Status cannot transition via "${EVENTS[state]}")`);
  }
  const status = { state, context, description, url };
  project.statuses.set(sha, [...all, status]);
  return { status: 201, body: { name: context, status: state, description, target_url: url } };
}

const trainRoutes = (gitlab: FakeGitlab): FakeRoute[] => [
  {
    method: 'GET',
    path: new RegExp(`^${CAR}$`),
    answer: onRequest(gitlab, ({ queued }) =>
      queued === undefined ? refusal(404, '404 Not Found') : { status: 200, body: carPayload(queued) },
    ),
  },
  {
    method: 'POST',
    path: new RegExp(`^${CAR}$`),
    answer: onRequest(gitlab, (pull, { body }, { rules, pulls }) => {
      if (!rules.queue) return refusal(403, '403 Forbidden');
      if (textIn(body, 'sha') !== pull.headSha)
        return refusal(409, '409 Conflict: SHA does not match HEAD of source branch');
      if (pull.approvedBy.length < rules.approvals || pull.state !== 'open' || pull.queued !== undefined)
        return refusal(400, '400 Bad request - The merge request is not mergeable');
      pull.queued = pulls.filter(({ queued }) => queued !== undefined).length + 1;
      return { status: 201, body: [carPayload(pull.queued)] };
    }),
  },
];
