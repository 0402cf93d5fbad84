import type { Exchange, ExchangeHead } from '@fairway/core';
import { iso } from '@fairway/core';
import type { RawExchange } from '../ports.ts';
import type { Attribution } from './versions.ts';

const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;

export type ExchangeContext = {
  readonly seq: number;
  readonly environment: string;
  /** Take `x-fairway-time` for the business time. */
  readonly trustEventTime: boolean;
  readonly attribution: Attribution;
  /** Probability that an exchange is recorded. */
  readonly sampling: number;
};

/** What is recorded of an exchange that the hop saw. */
export function toExchange(raw: RawExchange, context: ExchangeContext): Exchange {
  const { protocol, grpcStatus, correlationId, requestEncoding, truncated } = raw;
  const head: ExchangeHead = {
    v: 1,
    id: raw.id,
    seq: context.seq,
    time: (context.trustEventTime ? eventTime(raw.eventTime) : undefined) ?? iso(raw.at),
    model: raw.route.model,
    version: context.attribution.version,
    versionSource: context.attribution.source,
    environment: context.environment,
    method: raw.method,
    target: raw.target,
    status: raw.status,
    latencyMs: Math.round((raw.endedAt - raw.startedAt) * 1000) / 1000,
    outcome: raw.outcome,
    ...(protocol === undefined ? {} : { protocol }),
    ...(grpcStatus === undefined ? {} : { grpcStatus }),
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(requestEncoding === undefined ? {} : { requestEncoding }),
    ...(truncated ? { truncated } : {}),
    ...(context.sampling < 1 ? { sampling: context.sampling } : {}),
    requestLength: raw.requestLength,
    responseLength: raw.responseLength,
  };
  return { head, request: raw.request, response: raw.response };
}

/** RFC 3339 in UTC with milliseconds, or undefined when the text is no such time. */
export function eventTime(text: string | undefined): string | undefined {
  if (text === undefined || !RFC_3339.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : iso(ms);
}
