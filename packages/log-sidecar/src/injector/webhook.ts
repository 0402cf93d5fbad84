import type { IncomingMessage, ServerResponse } from 'node:http';
import { asFairwayError, FairwayError, type Logger } from '@fairway/core';
import { inject, type Injection, type Surroundings } from './inject.ts';
import type { Outcome } from './metrics.ts';
import type { Pod } from './pod.ts';
import { answerReview, readReview, warningsOf } from './review.ts';

export type Webhook = {
  readonly surroundings: () => Omit<Surroundings, 'namespace'>;
  readonly reviewed: (outcome: Outcome, ms: number) => void;
  readonly monotonic: () => number;
  readonly log: Logger;
  /** A review with more bytes is refused. */
  readonly mostBytes: number;
};

/** The path that the webhook configuration names. */
export const PATH = '/inject';

/** Answers one request of an API server. */
export async function answerWebhook(
  webhook: Webhook,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    checkRequest(request);
    const body = await readBody(request, webhook.mostBytes);
    const from = webhook.monotonic();
    const { answer, outcome } = judged(webhook, body);
    webhook.reviewed(outcome, webhook.monotonic() - from);
    send(response, 200, 'application/json', answer);
  } catch (error) {
    if (response.headersSent || response.destroyed) return;
    const { code, message, detail } = asFairwayError(error);
    const status = typeof detail['status'] === 'number' ? detail['status'] : 400;
    webhook.reviewed('invalid', 0);
    webhook.log.info({ status, reason: message }, 'request refused');
    if (status === 405) response.setHeader('allow', 'POST');
    // The rest of a body that is not read would be taken for the next request.
    response.setHeader('connection', 'close');
    const title = TITLES[status] ?? 'Bad Request';
    send(response, status, 'application/problem+json', { type: 'about:blank', title, status, detail: message, code });
  }
}

const TITLES: Readonly<Record<number, string>> = {
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
};

function checkRequest(request: IncomingMessage): void {
  const [path] = (request.url ?? '').split('?');
  if (path !== PATH) throw refusal(404, `There is nothing at this path; reviews go to ${PATH}.`);
  if (request.method !== 'POST') throw refusal(405, `Reviews are sent with POST.`);
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw refusal(415, 'A review is sent as application/json.');
}

const refusal = (status: number, sentence: string): FairwayError =>
  new FairwayError('input.invalid', sentence, { detail: { status } });

async function readBody(request: IncomingMessage, mostBytes: number): Promise<unknown> {
  const tooLong = () => refusal(413, `A review may have ${mostBytes} bytes at most.`);
  if (Number(request.headers['content-length'] ?? 0) > mostBytes) throw tooLong();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw tooLong();
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    // The parser's own message quotes the body, which may hold secrets.
    throw refusal(400, 'The body is no JSON.');
  }
}

function judged({ surroundings, log }: Webhook, body: unknown): { answer: object; outcome: Outcome } {
  const { uid, namespace, pod } = readReview(body);
  if (pod === undefined) return { answer: answerReview(uid, undefined, undefined), outcome: 'passed' };
  const of = { namespace: namespace.slice(0, 253), pod: nameOf(pod), uid };
  try {
    const injection = inject(pod, { ...surroundings(), namespace });
    logged(log, of, injection);
    return { answer: answerReview(uid, pod, injection), outcome: injection.outcome };
  } catch (error) {
    // Our bug: the pod runs without its agent rather than not at all.
    log.error({ ...of, reason: (error as Error).message, stack: (error as Error).stack }, 'injection failed');
    const warnings = ['the injector failed, see its log'];
    return { answer: answerReview(uid, pod, { outcome: 'refused', pod, warnings }), outcome: 'failed' };
  }
}

const nameOf = ({ metadata }: Pod): string => (metadata?.name ?? `${metadata?.generateName ?? ''}*`).slice(0, 253);

/** Names and reasons only: a pod's environment holds secrets. */
function logged(log: Logger, of: object, injection: Injection): void {
  const { outcome } = injection;
  const fields = { ...of, outcome, ...(injection.warnings.length > 0 ? { warnings: warningsOf(injection) } : {}) };
  if (outcome === 'injected' || outcome === 'refused') log.info(fields, 'pod reviewed');
  else log.debug(fields, 'pod reviewed');
}

function send(response: ServerResponse, status: number, type: string, body: object): void {
  response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
}
