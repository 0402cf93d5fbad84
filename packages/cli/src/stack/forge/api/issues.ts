import { json, refuse } from '../../web/http.ts';
import type { Call, Reply, Route } from '../../web/router.ts';
import { type Forge, now, pullOf, repositoryOf } from '../forge.ts';
import { tell } from '../notices.ts';
import { closingPayload, commentPayload, labelPayload } from '../payloads.ts';
import type { RepositoryState } from '../state.ts';
import { paged, readFields } from './input.ts';
import type { Signed, SignedCall } from './signed.ts';

const ISSUE = '/repos/:owner/:repo/issues/:number';
const repositoryIn = (forge: Forge, { params }: Call) => repositoryOf(forge, params['owner'], params['repo']);

/** Comments and labels; every issue here is a pull request. */
export const issueRoutes = (forge: Forge, signed: Signed): Route[] => [
  ...commentRoutes(forge, signed),
  ...labelRoutes(forge, signed),
];

const commentRoutes = (forge: Forge, signed: Signed): Route[] => [
  {
    method: 'GET',
    path: `${ISSUE}/comments`,
    answer: (call) => {
      const repository = repositoryIn(forge, call);
      const { number } = pullOf(repository, call.params['number']);
      const { comments } = repository;
      const own = comments.filter((comment) => comment.number === number);
      // Gitea lists the comments of one issue whole; the count is sent all the same.
      const shown = own.map((comment) => commentPayload(forge, repository, comment));
      return json(200, shown, { 'x-total-count': String(own.length) });
    },
  },
  { method: 'GET', path: `${ISSUE}/timeline`, answer: (call) => listTimeline(forge, call) },
  { method: 'POST', path: `${ISSUE}/comments`, answer: signed((asked) => createComment(forge, asked)) },
  {
    method: 'PATCH',
    path: '/repos/:owner/:repo/issues/comments/:id',
    answer: signed((asked) => editComment(forge, asked)),
  },
];

const labelRoutes = (forge: Forge, signed: Signed): Route[] => [
  {
    method: 'GET',
    path: '/repos/:owner/:repo/labels',
    answer: (call) => {
      const repository = repositoryIn(forge, call);
      const { items, headers } = paged(call, repository.labels);
      return json(
        200,
        items.map((label) => labelPayload(forge, repository, label)),
        headers,
      );
    },
  },
  { method: 'POST', path: '/repos/:owner/:repo/labels', answer: signed((asked) => createLabel(forge, asked)) },
  {
    method: 'GET',
    path: `${ISSUE}/labels`,
    answer: (call) => {
      const repository = repositoryIn(forge, call);
      return json(200, labelsOf(forge, repository, pullOf(repository, call.params['number']).labels));
    },
  },
  { method: 'POST', path: `${ISSUE}/labels`, answer: signed((asked) => addLabels(forge, asked)) },
];

const labelsOf = (forge: Forge, repository: Readonly<RepositoryState>, ids: readonly number[]) =>
  repository.labels.filter(({ id }) => ids.includes(id)).map((label) => labelPayload(forge, repository, label));

/** Comments and the closing, oldest first; Gitea has many more kinds of entries. */
function listTimeline(forge: Forge, call: Call): Reply {
  const repository = repositoryIn(forge, call);
  const pull = pullOf(repository, call.params['number']);
  const comments = repository.comments
    .filter(({ number }) => number === pull.number)
    .map((comment) => ({ ...commentPayload(forge, repository, comment), type: 'comment' }));
  const closing = pull.closedBy === undefined ? [] : [closingPayload(forge, repository, pull)];
  const { items, headers } = paged(call, [...comments, ...closing]);
  return json(200, items, headers);
}

async function createComment(forge: Forge, { user, repository, call, params }: SignedCall): Promise<Reply> {
  const body = (await readFields(call)).required('body');
  const comment = await forge.store.change(repository, (draft) => {
    const { number } = pullOf(draft, params['number']);
    const at = now(forge);
    const comment = { id: draft.nextId, number, author: user.name, body, createdAt: at, updatedAt: at };
    draft.nextId += 1;
    draft.comments.push(comment);
    return comment;
  });
  await tell(forge, repository, user, [{ kind: 'comment', action: 'created', id: comment.id }]);
  return json(201, commentPayload(forge, repository, comment));
}

async function editComment(forge: Forge, { user, repository, call, params }: SignedCall): Promise<Reply> {
  const body = (await readFields(call)).required('body');
  const comment = await forge.store.change(repository, (draft) => {
    const found = draft.comments.find(({ id }) => String(id) === params['id']);
    if (!found) return refuse(404, "The target couldn't be found.");
    if (found.author !== user.name && !user.admin)
      return refuse(403, 'Only the author or an admin may edit a comment.');
    return Object.assign(found, { body, updatedAt: now(forge) });
  });
  await tell(forge, repository, user, [{ kind: 'comment', action: 'edited', id: comment.id }]);
  return json(200, commentPayload(forge, repository, comment));
}

async function createLabel(forge: Forge, { repository, call }: SignedCall): Promise<Reply> {
  const wanted = await readFields(call);
  const name = wanted.required('name');
  const [, color] = /^#?([0-9a-f]{6})$/i.exec(wanted.required('color')) ?? refuse(422, '[Color]: is no colour');
  const label = await forge.store.change(repository, (draft) => {
    const label = {
      id: draft.nextId,
      name,
      color: (color ?? '').toLowerCase(),
      description: wanted.text('description') ?? '',
    };
    draft.nextId += 1;
    draft.labels.push(label);
    return label;
  });
  return json(201, labelPayload(forge, repository, label));
}

async function addLabels(forge: Forge, { repository, call, params }: SignedCall): Promise<Reply> {
  const wanted = (await readFields(call)).list('labels');
  const labels = await forge.store.change(repository, (draft) => {
    const pull = pullOf(draft, params['number']);
    // Ids, or since Gitea 1.22 names; ids nobody knows are left out.
    const chosen = draft.labels.filter(({ id, name }) => wanted.includes(id) || wanted.includes(name));
    pull.labels = [...new Set([...pull.labels, ...chosen.map(({ id }) => id)])];
    pull.updatedAt = now(forge);
    return pull.labels;
  });
  return json(200, labelsOf(forge, repository, labels));
}
