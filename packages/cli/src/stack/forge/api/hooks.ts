import { json, refuse } from '../../web/http.ts';
import type { Reply, Route } from '../../web/router.ts';
import { type Forge, now } from '../forge.ts';
import { hookPayload } from '../payloads.ts';
import { empty, paged, readFields } from './input.ts';
import type { Signed, SignedCall } from './signed.ts';

const HOOKS = '/repos/:owner/:repo/hooks';

export const hookRoutes = (forge: Forge, signed: Signed): Route[] => [
  {
    method: 'GET',
    path: HOOKS,
    answer: signed(({ repository, call }) => {
      const { items, headers } = paged(call, repository.hooks);
      return json(200, items.map(hookPayload), headers);
    }),
  },
  { method: 'POST', path: HOOKS, answer: signed((asked) => createHook(forge, asked)) },
  {
    method: 'DELETE',
    path: `${HOOKS}/:id`,
    answer: signed(async ({ repository, params }) => {
      await forge.store.change(repository, (draft) => {
        const kept = draft.hooks.filter(({ id }) => String(id) !== params['id']);
        if (kept.length === draft.hooks.length) refuse(404, "The target couldn't be found.");
        draft.hooks = kept;
      });
      return empty(204);
    }),
  },
];

async function createHook(forge: Forge, { repository, call }: SignedCall): Promise<Reply> {
  const wanted = await readFields(call);
  const type = wanted.required('type');
  const config = wanted.object('config');
  const url = config.text('url') ?? refuse(422, 'Missing config option: url');
  const contentType = config.text('content_type') ?? refuse(422, 'Missing config option: content_type');
  if (type !== 'gitea' && type !== 'gogs') refuse(422, `Invalid hook type: ${type}`);
  if (contentType !== 'json' && contentType !== 'form') refuse(422, 'Invalid content type');
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) refuse(422, 'Invalid url');
  const events = wanted.list('events').map(String);
  const hook = await forge.store.change(repository, (draft) => {
    const hook = {
      id: draft.nextId,
      type,
      url,
      secret: config.text('secret') ?? '',
      contentType,
      events: events.length === 0 ? ['push'] : events,
      active: wanted.flag('active'),
      createdAt: now(forge),
    };
    draft.nextId += 1;
    draft.hooks.push(hook);
    return hook;
  });
  return json(201, hookPayload(hook));
}
