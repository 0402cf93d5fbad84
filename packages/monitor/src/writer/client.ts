import { type Change, FairwayError, redact, urlOrigin } from '@fairway/core';
import { create, isAxiosError } from 'axios';
import type { Notification } from '../ports/notify.ts';
import type { ModelSummary, PolicyFile, Reference, Writer } from '../ports.ts';

const TIMEOUT_MS = 10_000;
/** A baseline with all its score counts is a few hundred KB; nothing the writer says is larger than this. */
const MAX_BYTES = 32 * 1024 * 1024;

const MOST_CHANGES = 1_000;

/** The writer's HTTP API. Answers it refuses (4xx) are terminal, everything else is worth another try. */
export function writerClient(url: string, token: string): Writer {
  const http = create({
    baseURL: url.replace(/\/$/, ''),
    headers: { authorization: `Bearer ${token}` },
    timeout: TIMEOUT_MS,
    maxContentLength: MAX_BYTES,
    maxBodyLength: MAX_BYTES,
    // Never through a proxy from the environment: the token would travel with it.
    proxy: false,
  });
  const get = <T>(path: string, params: object = {}) => ask(url, () => http.get<T>(path, { params }));
  const find = <T>(path: string) => get<T>(path).catch(absent);
  return {
    reference: (model, version) => find<Reference>(`/v1/models/${enc(model)}/versions/${enc(version)}`),
    policy: (model) => find<PolicyFile>(`/v1/models/${enc(model)}/policy`),
    models: async () => (await get<{ models: ModelSummary[] }>('/v1/models')).models,
    changes: (filter) => pages((cursor) => get<ChangePage>('/v1/changes', { ...filter, limit: 200, cursor })),
    requestRetrain: async (request) =>
      (await ask(url, () => http.post<{ change: Change }>('/v1/changes', request))).change,
    withdrawRetrain: async (id, actor, reason) =>
      (await ask(url, () => http.post<{ change: Change }>(`/v1/changes/${enc(id)}/withdraw`, { actor, reason })))
        .change,
    notifications: async () =>
      (await get<{ notifications: Notification[] }>('/v1/notifications', { channel: 'teams' })).notifications,
  };
}

const enc = encodeURIComponent;

type ChangePage = { readonly changes: readonly Change[]; readonly next?: string };

/** The newest changes, page after page, until they are enough for any page of the dashboard. */
async function pages(read: (cursor: string | undefined) => Promise<ChangePage>): Promise<Change[]> {
  const changes: Change[] = [];
  let cursor: string | undefined;
  do {
    const page = await read(cursor);
    changes.push(...page.changes);
    cursor = page.next;
  } while (cursor !== undefined && changes.length < MOST_CHANGES);
  return changes;
}

async function ask<T>(url: string, call: () => Promise<{ data: T }>): Promise<T> {
  try {
    return (await call()).data;
  } catch (error) {
    throw asWriterError(url, error);
  }
}

function absent(error: unknown): undefined {
  if (error instanceof FairwayError && error.detail['status'] === 404) return undefined;
  throw error;
}

function asWriterError(url: string, error: unknown): FairwayError {
  const status = isAxiosError(error) ? error.response?.status : undefined;
  const said = isAxiosError<{ detail?: string }>(error) ? error.response?.data?.detail : undefined;
  const what = said ?? redact((error as Error).message);
  if (status === 401 || status === 403) {
    return new FairwayError(
      'auth.refused',
      `The writer at ${urlOrigin(url)} refuses WRITER_TOKEN; give both the same token.`,
      {
        detail: { status },
        disposition: 'retryable',
      },
    );
  }
  const refused = status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429;
  if (refused) return new FairwayError('input.invalid', `The writer refused: ${what}`, { detail: { status } });
  return new FairwayError('unknown', `The writer at ${urlOrigin(url)} does not answer (${what}).`, {
    detail: { status },
    disposition: 'retryable',
  });
}
