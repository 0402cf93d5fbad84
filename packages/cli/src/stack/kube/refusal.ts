import { FairwayError } from '@fairway/core';

/** Reasons of the Kubernetes API that we answer with, and their HTTP codes. */
const CODES = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  AlreadyExists: 409,
  Conflict: 409,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  InternalError: 500,
} as const;

export type Reason = keyof typeof CODES;

/** `metav1.Status`: every refusal of the API has this body. */
export type Status = {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: object;
  readonly status: 'Success' | 'Failure';
  readonly message: string;
  readonly reason: Reason;
  readonly code: number;
  readonly details?: object;
};

/** An error that the API answers as `Status` with this reason and its code. */
export function refusal(reason: Reason, message: string, details?: object): FairwayError {
  const code = reason === 'InternalError' ? 'unknown' : 'input.invalid';
  return new FairwayError(code, message, { detail: { reason, ...(details === undefined ? {} : { details }) } });
}

/** A refusal in the words and with the HTTP code of somebody else: an admission webhook. */
export function denial(code: number, message: string): FairwayError {
  const reason = Object.entries(CODES).find(([, known]) => known === code)?.[0] ?? 'Forbidden';
  return new FairwayError('input.invalid', message, { detail: { reason, code } });
}

/** The reason of a {@link refusal}; undefined for any other error. */
export function reasonOf(error: unknown): Reason | undefined {
  if (!(error instanceof FairwayError)) return undefined;
  const { reason } = error.detail;
  return typeof reason === 'string' && reason in CODES ? (reason as Reason) : undefined;
}

/** Any thrown value as the API's `Status`; what is no refusal is an internal error without its message's secrets. */
export function statusOf(error: unknown): Status {
  const reason = reasonOf(error) ?? 'InternalError';
  const message =
    error instanceof FairwayError ? error.message : 'Internal error occurred: see the log of the kube process';
  const details = error instanceof FairwayError ? error.detail['details'] : undefined;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    code: codeOf(error) ?? CODES[reason],
    ...(typeof details === 'object' && details !== null ? { details } : {}),
  };
}

function codeOf(error: unknown): number | undefined {
  const code = error instanceof FairwayError ? error.detail['code'] : undefined;
  return typeof code === 'number' ? code : undefined;
}
