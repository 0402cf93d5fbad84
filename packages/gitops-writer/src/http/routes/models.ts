import { z } from 'zod';
import { readQuarantine } from '../../app/quarantine.ts';
import { listModels, readDeployedVersion, readPolicy, readSource } from '../../app/queries.ts';
import { model, version } from '../fields.ts';
import { type Route, route } from '../route.ts';
import { deployedVersion, modelSource, modelSummary, quarantine } from '../shapes.ts';

export const models: readonly Route[] = [
  route({
    method: 'get',
    path: '/v1/models',
    operation: 'listModels',
    summary: 'The models of the GitOps repository and what is live in each environment',
    role: 'viewer',
    answers: { 200: { about: 'The models', schema: z.strictObject({ models: z.array(modelSummary) }) } },
    handle: async (_call, context) => ({ status: 200, body: { models: await listModels(context) } }),
  }),
  route({
    method: 'get',
    path: '/v1/models/{model}/policy',
    operation: 'readPolicy',
    summary: 'policy.yaml on the default branch, with its Git blob id',
    role: 'viewer',
    params: z.object({ model }),
    answers: { 200: { about: 'The policy', schema: z.strictObject({ blob: z.string(), text: z.string() }) } },
    handle: async ({ params }, context) => ({ status: 200, body: await readPolicy(params.model, context) }),
  }),
  route({
    method: 'get',
    path: '/v1/models/{model}/source',
    operation: 'readSource',
    summary: "What the model's registry says now, and what is missing there before the model can travel",
    role: 'viewer',
    params: z.object({ model }),
    answers: { 200: { about: 'The registry as asked just now', schema: modelSource } },
    handle: async ({ params }, context) => ({ status: 200, body: await readSource(params.model, context) }),
  }),
  route({
    method: 'get',
    path: '/v1/models/{model}/quarantine',
    operation: 'readQuarantine',
    summary: 'Versions that must not be deployed, as quarantine.yaml on the default branch says, and how one is lifted',
    role: 'viewer',
    params: z.object({ model }),
    answers: { 200: { about: 'The quarantine', schema: quarantine } },
    handle: async ({ params }, context) => ({ status: 200, body: await readQuarantine(params.model, context) }),
  }),
  route({
    method: 'get',
    path: '/v1/models/{model}/versions/{version}',
    operation: 'readDeployedVersion',
    summary: 'Model version and baseline as the deploy change committed them',
    role: 'viewer',
    params: z.object({ model, version }),
    answers: { 200: { about: 'The version', schema: deployedVersion } },
    handle: async ({ params }, context) => ({
      status: 200,
      body: await readDeployedVersion(params.model, params.version, context),
    }),
  }),
];
