import { FairwayError, redact } from '@fairway/core';
import { whyUnreachable } from './why.ts';

/** A cluster that does not answer must not hold a turn. */
const ANSWER_MS = 10_000;

/** undefined for 404; anything else that is no answer is `cluster.unavailable`. */
export async function get<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await inTime(call);
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string };
    if (code === 404) return undefined;
    throw clusterError(code, message, error);
  }
}

/** The answer of a call, or an error once it is late; the client has no time limit of its own. */
export async function inTime<T>(call: () => Promise<T>, limitMs = ANSWER_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([call(), late]);
  } finally {
    clearTimeout(timer);
  }
}

const clusterError = (code: unknown, message: string, error?: unknown): FairwayError =>
  new FairwayError('cluster.unavailable', whyNot({ code, message, cause: error }));

type ClientError = {
  readonly code?: unknown;
  readonly statusCode?: unknown;
  readonly message: string;
  readonly cause?: unknown;
};

/** Why the API gave no answer that can be used, with the mend: of a refusal, of a kind that is not served, of a lost connection. */
export function whyNot(error: ClientError): string {
  const { code, statusCode, message } = error;
  const status = typeof code === 'number' ? code : statusCode;
  if (status === 401)
    return 'The Kubernetes API does not know the writer (401): its token has expired, or its service account is gone; restart the pod, and look at serviceAccountName.';
  if (status === 403)
    return 'The Kubernetes API refuses the writer (403); give its service account get, list, watch and patch on Applications, get on AppProjects, and get, list on Deployments, Pods and Jobs ("fairway doctor --cluster" names what is missing).';
  if (status === 404)
    return 'The Kubernetes API does not serve this kind (404): is Argo CD installed in this cluster, with its CustomResourceDefinitions?';
  const why = whyUnreachable(error);
  return why === undefined
    ? `The Kubernetes API does not answer: ${firstLine(message)}`
    : `The Kubernetes API is not reached: ${why}.`;
}

/** The part of an error of the client that may be told: its message has headers and body on further lines. */
const firstLine = (message: string): string => redact(message.split('\n')[0] ?? '').slice(0, 200);
