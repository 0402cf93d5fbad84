import { randomUUID } from 'node:crypto';
import { FairwayError, hashFields } from '@fairway/core';
import { z } from 'zod';
import type { HookClaim, HookDelivery, RegistryKind } from '../../ports.ts';
import type { ApiContext, HookDoor } from '../context.ts';
import { line, model, version } from '../fields.ts';
import { parseJson } from '../input.ts';
import { type Reply, type Route, route } from '../route.ts';
import { hookDelivery } from '../shapes.ts';
import { MIB } from './accept.ts';

const SMALL = 64 * 1024;
const taken = z.strictObject({ delivery: hookDelivery });
const answers = {
  202: { about: 'It is kept, and will be held against what the registry says; ask for it by its id', schema: taken },
};

/** What a workflow fills in from a variable that nobody has set comes as an empty text. */
const maybe = (max: number) =>
  line(max)
    .or(z.literal(''))
    .optional()
    .transform((text) => text || undefined);

const sasHook = z.strictObject({
  eventId: maybe(200),
  type: maybe(200),
  projectId: line(100),
  modelId: line(100),
  modelVersionName: maybe(100),
  processId: maybe(200),
  taskName: maybe(200),
  decision: line(100),
  decidedBy: maybe(200),
});

const directoryHook = z.strictObject({ eventId: maybe(200), model, version: version.optional() });

export const hooks: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/hooks/sas',
    operation: 'takeSasHook',
    summary: 'A workflow or job of SAS says that a champion was decided on: a hint, believed once SAS says so itself',
    role: 'approver',
    body: { what: 'The hook', limit: SMALL, schema: sasHook },
    answers,
    handle: async ({ body, caller }, context) => {
      checkConnected('sas', context.hooks);
      const { eventId, projectId, modelId, modelVersionName, decision, ...rest } = body;
      const names = given({ projectId, modelId, modelVersionName });
      const claim: HookClaim = { registry: 'sas', ...given(rest), names, decision, via: caller.name };
      const { processId = '' } = rest;
      const words = eventId === undefined ? ['', ...Object.values(names), processId, decision] : [eventId];
      return keep(hashFields(['sas', ...words]), claim, body, context);
    },
  }),
  route({
    method: 'post',
    path: '/v1/hooks/directory',
    operation: 'takeDirectoryHook',
    summary: 'Whoever fills the registry folder says that a model has changed: a hint to look',
    role: 'approver',
    body: { what: 'The hook', limit: SMALL, schema: directoryHook },
    answers,
    handle: async ({ body, caller }, context) => {
      checkConnected('directory', context.hooks);
      const { eventId = randomUUID(), ...names } = body;
      const claim: HookClaim = { registry: 'directory', names: given(names), decision: 'approve', via: caller.name };
      return keep(hashFields(['directory', eventId]), claim, body, context);
    },
  }),
  route({
    method: 'post',
    path: '/v1/hooks/mlflow',
    operation: 'takeMlflowHook',
    summary: "A webhook of MLflow's model registry, verified by its own signature: a hint to look again",
    role: 'public',
    body: { what: 'The hook', limit: MIB, schema: 'raw' },
    answers: { ...answers, 204: { about: 'Nothing that could concern a champion' } },
    handle: async ({ body, headers }, context) => {
      const { hooks: door, clock } = context;
      checkConnected('mlflow', door);
      const verdict = door.mlflow?.({ headers, body, now: clock.now() }) ?? { kind: 'refused', reason: NO_SECRET };
      if (verdict.kind === 'refused') throw new FairwayError('auth.refused', `The hook is refused: ${verdict.reason}.`);
      if (verdict.kind === 'noise') return { status: 204 };
      const claim: HookClaim = { registry: 'mlflow', ...verdict.claim, decision: 'approve', via: "MLflow's signature" };
      return keep(hashFields(['mlflow', verdict.id]), claim, parseJson(body, 'The hook'), context);
    },
  }),
  route({
    method: 'get',
    path: '/v1/hooks/deliveries/{id}',
    operation: 'readHookDelivery',
    summary: 'What became of a hook',
    role: 'viewer',
    params: z.object({ id: z.string() }),
    answers: { 200: { about: 'The delivery', schema: taken } },
    handle: async ({ params: { id } }, { hooks: { inbox } }) => {
      const delivery = /^h-[0-9a-f]{20}$/.test(id) ? await inbox.find(id) : undefined;
      if (delivery !== undefined) return { status: 200, body: { delivery: shown(delivery) } };
      const sentence = `There is no delivery ${JSON.stringify(id.slice(0, 70))}; its id is in the answer to the hook, and it is kept for 30 days.`;
      throw new FairwayError('change.unknown', sentence);
    },
  }),
];

const NO_SECRET = 'this writer has no MLFLOW_WEBHOOK_SECRET; set the one that the webhook in MLflow has';
const SETTINGS: Readonly<Record<RegistryKind, string>> = {
  directory: 'MODEL_DIRECTORY',
  sas: 'SAS_URL',
  mlflow: 'MLFLOW_URL',
};

function checkConnected(registry: RegistryKind, { connected }: HookDoor): void {
  if (connected.includes(registry)) return;
  const there = connected.length === 0 ? 'none' : connected.join(', ');
  throw new FairwayError(
    'input.invalid',
    `This writer is not connected to ${registry} (it is to: ${there}); set ${SETTINGS[registry]}, or send the hook to another writer.`,
  );
}

async function keep(hash: string, claim: HookClaim, payload: unknown, { hooks, log }: ApiContext): Promise<Reply> {
  const delivery = await hooks.inbox.put(`h-${hash.slice(0, 20)}`, claim, JSON.stringify(payload));
  log.info({ delivery: delivery.id, registry: claim.registry, credential: claim.via }, 'a hook was taken');
  return { status: 202, body: { delivery: shown(delivery) } };
}

const shown = ({ claim: { registry, ...claim }, ...delivery }: HookDelivery) => ({ ...delivery, registry, claim });

/** Without what is not there. */
const given = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    readonly [K in keyof T]: Exclude<T[K], undefined>;
  };
