import { FairwayError } from '@fairway/core';
import { z } from 'zod';
import { acceptApproval } from '../../app/intake.ts';
import { digest, environment, line, model, time, version } from '../fields.ts';
import { type Route, route } from '../route.ts';
import { change } from '../shapes.ts';
import { accept, MIB } from './accept.ts';

const approval = z.strictObject({
  eventId: line(200),
  model,
  version,
  environment,
  digest: digest.optional(),
  actor: line(200),
  time: time.optional(),
  evidence: z.string().max(4_000).optional(),
  answerTo: line(2_000).optional(),
});

const accepted = z.strictObject({ change });

export const approvals: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/approvals',
    operation: 'acceptApproval',
    summary: 'The decision of a workflow about one version for one environment; durable when this answers',
    role: 'approver',
    body: { what: 'The approval', limit: MIB, schema: approval },
    answers: {
      202: { about: 'A new change', schema: accepted },
      200: { about: 'The change that the same event has led to before', schema: accepted },
    },
    handle: async ({ body: { time: at, evidence, answerTo, digest: bytes, ...rest }, caller }, context) => {
      const problem = answerTo === undefined ? undefined : context.answerProblem(answerTo);
      if (problem !== undefined) {
        throw new FairwayError('input.invalid', `The approval is not usable: answerTo: ${problem}.`);
      }
      const input = {
        ...rest,
        via: caller.name,
        ...(at === undefined ? {} : { time: new Date(at).toISOString() }),
        ...(bytes === undefined ? {} : { digest: bytes }),
        ...(evidence === undefined ? {} : { evidence }),
        ...(answerTo === undefined ? {} : { answerTo }),
      };
      return accept(await acceptApproval(input, context), caller, context);
    },
  }),
];
