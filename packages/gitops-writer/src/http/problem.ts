import { asFairwayError, type ErrorCode, redact } from '@fairway/core';
import type { Response } from 'express';

/** HTTP status of an error code; what is not here is our fault. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  'input.invalid': 400,
  'auth.refused': 401,
  'model.unknown': 404,
  'environment.unknown': 404,
  'policy.invalid': 404,
  'change.unknown': 404,
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
  401: 'Not authorised',
  404: 'Not found',
  409: 'Conflict',
  413: 'Too large',
  422: 'Not usable',
  503: 'Not available',
};

/** Answers `application/problem+json` (RFC 9457); `detail` is a sentence. */
function sendProblem(response: Response, status: number, code: ErrorCode, detail: string): void {
  const title = TITLE[status] ?? 'Internal error';
  response.status(status).type('application/problem+json');
  response.send(JSON.stringify({ type: 'about:blank', title, status, detail, code }));
}

/** Any thrown value as a problem; answers the status. Errors that are not ours to explain are not shown. */
export function sendError(response: Response, thrown: unknown): number {
  const { status: raised, type } = thrown as { status?: unknown; type?: unknown };
  if (type === 'entity.too.large') {
    sendProblem(
      response,
      413,
      'input.invalid',
      'The body is too large: webhooks and approvals may have 1 MiB, retrain requests 5 MiB.',
    );
    return 413;
  }
  if (typeof raised === 'number' && raised >= 400 && raised < 500) {
    sendProblem(
      response,
      400,
      'input.invalid',
      'The request could not be read; send JSON with content-type application/json.',
    );
    return 400;
  }
  const error = asFairwayError(thrown);
  const status = STATUS[error.code] ?? 500;
  const detail =
    error.code === 'unknown' ? 'Something went wrong in the writer; its log says what.' : redact(error.message);
  sendProblem(response, status, error.code, detail);
  return status;
}
