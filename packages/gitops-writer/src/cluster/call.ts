import { FairwayError, redact } from '@fairway/core';

/** A cluster that does not answer must not hold a turn. */
const ANSWER_MS = 10_000;

/** undefined for 404; anything else that is no answer is `cluster.unavailable`. */
export async function get<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await inTime(call);
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string };
    if (code === 404) return undefined;
    throw clusterError(code, message);
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

function clusterError(code: unknown, message: string): FairwayError {
  if (code === 401 || code === 403) {
    return new FairwayError(
      'cluster.unavailable',
      `The Kubernetes API refuses the writer (${code}); give its service account get, list, watch and patch on Applications, get on AppProjects, and get, list on Deployments, Pods and Jobs.`,
    );
  }
  return new FairwayError('cluster.unavailable', `The Kubernetes API does not answer: ${firstLine(message)}`);
}

/** The part of an error of the client that may be told: its message has headers and body on further lines. */
export const firstLine = (message: string): string => redact(message.split('\n')[0] ?? '').slice(0, 200);
