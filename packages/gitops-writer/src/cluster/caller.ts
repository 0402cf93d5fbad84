import { request, type RequestOptions } from 'node:https';
import { request as plainRequest } from 'node:http';
import { FairwayError, redact } from '@fairway/core';
import { whyUnreachable } from './why.ts';

const ANSWER_MS = 10_000;
/** Where the client goes that has found nothing. */
const NOWHERE = { name: 'loaded-context', server: 'http://localhost:8080' };

/** What the API answered; `date` is its own clock. */
export type KubeAnswer = { readonly status: number; readonly body: unknown; readonly date: string | undefined };

/** The Kubernetes API as somebody in a kubeconfig may use it. Refusals are answers; throws `cluster.unavailable` without one. */
export type KubeCaller = {
  readonly server: string;
  /** `body` makes it a POST. */
  call(path: string, how?: { readonly body?: object; readonly accept?: string }): Promise<KubeAnswer>;
};

/**
 * By the kubeconfig that kubectl would use (KUBECONFIG, the home folder, the pod's service account) and a context of it, with its
 * certificates, tokens and credential plugins. The client is loaded here alone: it costs every start a quarter of a second.
 */
export async function kubeCaller(context?: string): Promise<KubeCaller> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  try {
    config.loadFromDefault();
  } catch (error) {
    throw unusable(`cannot be read (${redact((error as Error).message.split('\n')[0] ?? '')})`);
  }
  const known = config.getContexts().map(({ name }) => name);
  if (context !== undefined && !known.includes(context))
    throw unusable(`has no context ${context}; it has: ${known.join(', ') || 'none'}`);
  if (context !== undefined) config.setCurrentContext(context);
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) throw unusable('names no current cluster');
  if (server === NOWHERE.server && config.getCurrentContext() === NOWHERE.name) throw unusable('is not there');
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    throw unusable(`gives no credentials (${redact((error as Error).message.split('\n')[0] ?? '')}); log in again`);
  }
  return { server, call: (path, how = {}) => send(below(server, path), options, how) };
}

/** A server may lie below a path of its own, as a proxy of many clusters (Rancher) has it. */
const below = (server: string, path: string): URL => new URL(`${server.replace(/\/$/, '')}${path}`);

const unusable = (why: string): FairwayError =>
  new FairwayError(
    'config.invalid',
    `The kubeconfig ${why}: name a usable one by KUBECONFIG, or a context by --context.`,
  );

function send(
  url: URL,
  options: RequestOptions,
  { body, accept }: { body?: object; accept?: string },
): Promise<KubeAnswer> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    ...(options.headers as Record<string, string> | undefined),
    accept: accept ?? 'application/json',
    ...(text === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
  };
  const ask = url.protocol === 'http:' ? plainRequest : request;
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(unreachable(url, error));
    const sent = ask(
      url,
      { ...options, headers, method: text === undefined ? 'GET' : 'POST', timeout: ANSWER_MS },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', fail);
        answer.on('end', () => {
          const { statusCode: status = 0, headers: told } = answer;
          resolve({ status, body: parsed(Buffer.concat(chunks).toString('utf8')), date: told.date });
        });
      },
    );
    sent.on('timeout', () => sent.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })));
    sent.on('error', fail);
    sent.end(text);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const unreachable = (url: URL, error: unknown): FairwayError =>
  new FairwayError(
    'cluster.unavailable',
    `The Kubernetes API at ${url.origin} is not reached: ${whyUnreachable(error) ?? redact((error as Error).message)}.`,
    { cause: error },
  );
