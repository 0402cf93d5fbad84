import { FairwayError, redact, urlOrigin } from '@fairway/core';
import { type AxiosInstance, type AxiosRequestConfig, type AxiosResponse, create } from 'axios';

/** Status and parsed body; a status below 500 is an answer. */
export type Answer = { readonly status: number; readonly data: unknown };
export type GiteaClient = (
  method: 'GET' | 'POST' | 'PATCH',
  path: string,
  options?: { body?: object; query?: object },
) => Promise<Answer>;

/** Calls of one repository's API (`/api/v1/repos/<owner>/<name>`). Throws `forge.unavailable` when there is no answer or a 5xx or 429. */
export function giteaClient(url: string, repository: string, token: string): GiteaClient {
  const http = create({
    baseURL: `${url.replace(/\/$/, '')}/api/v1/repos/${repository}`,
    headers: { authorization: `token ${token}`, accept: 'application/json' },
    timeout: 15_000,
    maxContentLength: 32 * 2 ** 20,
    maxRedirects: 0,
    validateStatus: () => true,
  });
  return async (method, path, { body, query } = {}) => {
    const answer = await request(http, url, token, { method, url: path, data: body, params: query });
    const { status, data } = answer;
    if (status >= 500 || status === 429) throw away(url, `it answered ${status} (${saying(data)})`);
    return { status, data };
  };
}

async function request(
  http: AxiosInstance,
  url: string,
  token: string,
  config: AxiosRequestConfig,
): Promise<AxiosResponse<unknown>> {
  try {
    return await http.request(config);
  } catch (error) {
    throw away(url, redact((error as Error).message, [token]));
  }
}

const away = (url: string, why: string): FairwayError =>
  new FairwayError('forge.unavailable', `The forge at ${urlOrigin(url)} cannot be used: ${why}.`);

/** A refusal in the forge's own words. */
export function refused(doing: string, { status, data }: Answer): FairwayError {
  const mend =
    status === 401 || status === 403
      ? 'check that FORGE_TOKEN is valid and may write to the repository and its pull requests'
      : 'see the forge for the rule that says so';
  return new FairwayError('forge.refused', `The forge refused ${doing} (${status}: ${saying(data)}); ${mend}.`);
}

export function saying(data: unknown): string {
  const message = typeof data === 'object' && data !== null ? (data as { message?: unknown }).message : data;
  return typeof message === 'string' && message !== '' ? redact(message.slice(0, 300)) : 'no reason given';
}
