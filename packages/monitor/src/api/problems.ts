import { timingSafeEqual } from 'node:crypto';
import { asFairwayError, type ErrorCode, FairwayError, type Logger, sha256 } from '@fairway/core';
import type { ErrorRequestHandler, RequestHandler } from 'express';

const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  'input.invalid': 400,
  'policy.invalid': 400,
  'auth.refused': 401,
  'model.unknown': 404,
  'database.unavailable': 503,
};
/** SQLSTATEs of what a question holds and PostgreSQL has no value for: NUL in a text, the year 0. */
const NO_VALUES: ReadonlySet<string> = new Set(['22021', '22008']);
const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not authorised',
  404: 'Not found',
  413: 'Too large',
  500: 'Internal error',
  503: 'Not available',
};

/** Lets only `Authorization: Bearer <token>` pass; compares hashes, so that time tells nothing about the token. */
export function requireToken(token: string): RequestHandler {
  const expected = Buffer.from(sha256(token));
  return (request, _response, next) => {
    const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (timingSafeEqual(Buffer.from(sha256(given)), expected)) return next();
    next(new FairwayError('auth.refused', 'Send the token of this service as "Authorization: Bearer <token>".'));
  };
}

export const notFound: RequestHandler = (request, _response, next) => {
  next(new FairwayError('model.unknown', `There is nothing at ${request.path.slice(0, 200)}.`));
};

/** Every error as `application/problem+json`; what is our fault is logged, what is the caller's is only answered. */
export function answerProblem(log: Logger): ErrorRequestHandler {
  return (thrown: unknown, request, response, _next) => {
    const { status, code, detail } = problemOf(thrown);
    if (status >= 500) log.error({ path: request.path, code, reason: detail }, 'request failed');
    response
      .status(status)
      .type('application/problem+json')
      .send(JSON.stringify({ type: 'about:blank', title: TITLES[status] ?? 'Error', status, detail, code }));
  };
}

function problemOf(thrown: unknown): { status: number; code: ErrorCode; detail: string } {
  // What express' body parsers throw: a status and a type.
  const { status, type, code: state = '' } = thrown as { status?: number; type?: string; code?: string };
  if (NO_VALUES.has(state))
    return { status: 400, code: 'input.invalid', detail: `The request cannot be used: ${(thrown as Error).message}.` };
  if (status === 413)
    return { status, code: 'input.invalid', detail: 'The request body is too large; send it in smaller parts.' };
  if (type === 'entity.parse.failed')
    return { status: 400, code: 'input.invalid', detail: 'The request body is no JSON.' };
  const { code, message } = asFairwayError(thrown);
  if (status !== undefined && status < 500)
    return { status, code: 'input.invalid', detail: `The request body cannot be read: ${message}.` };
  return { status: status ?? STATUS[code] ?? 500, code, detail: message };
}
