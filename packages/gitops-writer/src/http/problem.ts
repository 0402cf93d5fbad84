import { asFairwayError, type ErrorCode, redact } from '@fairway/core';
import type { Response } from 'express';
import { everyReason } from '../app/reasons.ts';

/** HTTP status of an error code; what is not here is our fault. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  'input.invalid': 400,
  'auth.refused': 401,
  'auth.forbidden': 403,
  'model.unknown': 404,
  'environment.unknown': 404,
  'policy.invalid': 404,
  'change.unknown': 404,
  'change.refused': 409,
  'model.invalid': 422,
  'model.changed': 409,
  'registry.unavailable': 503,
  'git.unavailable': 503,
  'git.race': 503,
  'forge.unavailable': 503,
  'cluster.unavailable': 503,
  'database.unavailable': 503,
  'disk.full': 503,
};

const TITLE: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not authenticated',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  413: 'Too large',
  415: 'Unsupported media type',
  422: 'Not usable',
  501: 'Not implemented',
  503: 'Not available',
};

type Problem = { readonly status: number; readonly code: ErrorCode; readonly detail: string };

/** Answers `application/problem+json` (RFC 9457); `detail` is a sentence. */
export function sendProblem(response: Response, { status, code, detail }: Problem): void {
  if (status === 401) response.setHeader('www-authenticate', 'Bearer');
  const title = TITLE[status] ?? 'Internal error';
  response.status(status).type('application/problem+json');
  response.send(JSON.stringify({ type: 'about:blank', title, status, detail, code }));
}

/** Any thrown value as a problem; answers the status. Errors that are not ours to explain are not shown. */
export function sendError(response: Response, thrown: unknown): number {
  const problem = unreadable(thrown) ?? explained(thrown);
  sendProblem(response, problem);
  return problem.status;
}

/** What Express could not read of a request, in our words. */
function unreadable(thrown: unknown): Problem | undefined {
  const { status, type, limit } = thrown as { status?: unknown; type?: unknown; limit?: unknown };
  const problem = (code: number, detail: string): Problem => ({ status: code, code: 'input.invalid', detail });
  if (type === 'entity.too.large')
    return problem(413, `The body is too large: at most ${String(limit)} bytes are read here.`);
  if (type === 'encoding.unsupported') return problem(415, 'The body must come as it is, without content-encoding.');
  if (typeof status !== 'number' || status < 400 || status >= 500) return undefined;
  return problem(400, 'The request could not be read: its path or its body is broken.');
}

function explained(thrown: unknown): Problem {
  const error = asFairwayError(thrown);
  const { code, detail } = error;
  const status = typeof detail['status'] === 'number' ? detail['status'] : (STATUS[code] ?? 500);
  if (code === 'unknown') return { status, code, detail: 'Something went wrong in the writer; its log says what.' };
  return { status, code, detail: redact(everyReason(error)) };
}
