import { FairwayError, PHASES, type RetrainRequest } from '@fairway/core';
import { z } from 'zod';
import { acceptRequest, withdrawRequest } from '../../app/intake.ts';
import { readLiveness } from '../../app/queries.ts';
import { acceptRetire } from '../../app/retire.ts';
import { acceptRollback } from '../../app/way-back.ts';
import type { StoredChange } from '../../change.ts';
import type { Accepted } from '../../ports.ts';
import { checkRole } from '../auth/authenticate.ts';
import type { ApiContext } from '../context.ts';
import { fromCursor, toCursor } from '../cursor.ts';
import { environment, model } from '../fields.ts';
import { changeRequest, withdrawal } from '../requests.ts';
import { type Route, route } from '../route.ts';
import { change, KINDS, liveness as livenessShape } from '../shapes.ts';
import { accept, MIB } from './accept.ts';

const PAGE = 50;
const MOST = 200;

const filter = z.strictObject({
  model: model.optional(),
  kind: z.enum(KINDS).optional(),
  phase: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(PHASES)))
    .optional(),
  environment: environment.optional(),
  limit: z.coerce.number<string>().int().min(1).max(MOST).optional(),
  cursor: z.string().max(100).optional(),
});

const one = z.strictObject({ change });
const id = z.object({ id: z.string() });

export const changes: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/changes',
    operation: 'requestChange',
    summary: 'Asks for a retraining, a rollback, or (role admin) a retirement',
    role: 'approver',
    body: { what: 'The request', limit: 5 * MIB, schema: changeRequest },
    answers: {
      202: { about: 'A new change', schema: one },
      200: { about: 'The change of the same dedupe key, or the open one that the request joins', schema: one },
    },
    handle: async ({ body, caller }, context) => {
      // A rollback returns to what was approved and live; a retirement takes away what is served.
      if (body.kind === 'retire') checkRole(caller, 'admin', 'a retirement');
      return accept(await acceptChange(body, context), caller, context);
    },
  }),
  route({
    method: 'get',
    path: '/v1/changes',
    operation: 'listChanges',
    summary: `Changes, newest first; "phase" may be several, parted by commas; ${PAGE} to a page unless "limit" says otherwise`,
    role: 'viewer',
    query: filter,
    answers: {
      200: {
        about: 'A page; "next" is the cursor of the one after it, when there is one',
        schema: z.strictObject({ changes: z.array(change), next: z.string().optional() }),
      },
    },
    handle: async ({ query: { phase, limit = PAGE, cursor, ...rest } }, context) => {
      const after = cursor === undefined ? undefined : fromCursor(cursor);
      const page = await context.changes.list({ ...rest, phases: phase }, { limit, cursor: after });
      const next = page.next === undefined ? {} : { next: toCursor(page.next) };
      return { status: 200, body: { changes: page.changes, ...next } };
    },
  }),
  route({
    method: 'get',
    path: '/v1/changes/{id}',
    operation: 'readChange',
    summary: 'One change',
    role: 'viewer',
    params: id,
    answers: { 200: { about: 'The change', schema: one } },
    handle: async ({ params }, context) => ({ status: 200, body: { change: (await find(params.id, context)).change } }),
  }),
  route({
    method: 'post',
    path: '/v1/changes/{id}/withdraw',
    operation: 'withdrawChange',
    summary: 'Takes back a retraining that is not merged yet: its pull request is closed with the reason',
    role: 'approver',
    params: id,
    body: { what: 'The withdrawal', limit: MIB, schema: withdrawal },
    answers: { 200: { about: 'The change; one that has ended is as it was', schema: one } },
    handle: async ({ params, body, caller }, context) => {
      const { change: known } = await find(params.id, context);
      return accept({ created: false, change: await withdrawRequest(known.id, body, context) }, caller, context);
    },
  }),
  route({
    method: 'get',
    path: '/v1/changes/{id}/liveness',
    operation: 'readLiveness',
    summary: 'What is true of a change now, asked of Git, Argo CD, the rollout and TensorFlow Serving',
    role: 'viewer',
    params: id,
    answers: { 200: { about: 'Its state', schema: z.strictObject({ liveness: livenessShape }) } },
    handle: async ({ params }, context) => ({
      status: 200,
      body: { liveness: await readLiveness(await find(params.id, context), context) },
    }),
  }),
];

function acceptChange(request: z.output<typeof changeRequest>, context: ApiContext): Promise<Accepted> {
  switch (request.kind) {
    case 'retrain':
      return acceptRequest(request as unknown as RetrainRequest, context);
    case 'rollback': {
      const { version, ...rest } = request;
      return acceptRollback(version === undefined ? rest : { ...rest, version }, context);
    }
    default:
      return acceptRetire(request, context);
  }
}

async function find(changeId: string, { changes: reader }: ApiContext): Promise<StoredChange> {
  // Anything else cannot be one, and may hold what PostgreSQL does not take.
  const stored = /^[0-9a-z-]{1,64}$/.test(changeId) ? await reader.find(changeId) : undefined;
  if (stored !== undefined) return stored;
  throw new FairwayError('change.unknown', `There is no change ${JSON.stringify(changeId.slice(0, 70))}.`);
}
