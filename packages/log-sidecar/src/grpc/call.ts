import { type AgentClock, type Capture, LARGE_BODY, type SeenExchange } from '../ports.ts';
import type { Tally } from '../tally.ts';
import { type BodyBudget, GrpcMessage } from './message.ts';
import { type Method, specOf } from './model-spec.ts';
import { httpStatusOf, readGrpcStatus } from './status.ts';

export type GrpcParts = {
  readonly capture: Capture;
  readonly clock: AgentClock;
  readonly tally: Tally;
  readonly budget: BodyBudget;
  /** Bytes kept of each message; beyond, the exchange is `truncated`. */
  readonly bodyCap: number;
  /** The model of this pod: of calls whose own words cannot be read. */
  readonly model: string;
};

/** The fields of a header block that matter; the first of each name. */
export type Fields = Map<string, string>;

/** One inference call on one stream. */
export type Call = {
  readonly id: string;
  readonly method: Method;
  readonly target: string;
  readonly asked: Fields;
  readonly at: number;
  readonly startedAt: number;
  readonly request: GrpcMessage;
  readonly answer: GrpcMessage;
  /** The fields of the answer's head, with those of its trailers. */
  told: Fields | undefined;
  /** There was no room for one of its messages when that began. */
  isShed: boolean;
};

export function beginCall(method: Method, target: string, asked: Fields, parts: GrpcParts): Call {
  const { capture, clock, budget, bodyCap } = parts;
  const begins = (length: number) => {
    if (length >= LARGE_BODY && capture.hasRoom?.(Math.min(length, bodyCap)) === false) shed(call);
  };
  const call: Call = {
    id: capture.nextId(),
    method,
    target,
    asked,
    at: clock.now(),
    startedAt: clock.monotonic(),
    request: new GrpcMessage(bodyCap, budget, begins),
    answer: new GrpcMessage(bodyCap, budget, begins),
    told: undefined,
    isShed: false,
  };
  return call;
}

/** From now on not a byte of the call is kept. */
function shed(call: Call): void {
  call.isShed = true;
  releaseCall(call);
  call.request.isShut = true;
  call.answer.isShut = true;
}

/** Hands the call to capture, and its bytes back to the budget. */
export function finishCall(call: Call, outcome: SeenExchange['outcome'], parts: GrpcParts): void {
  const { request, answer } = call;
  try {
    if (request.foreign || answer.foreign) parts.capture.missed('unframed');
    else if (call.isShed) parts.capture.missed('ring_full', call.id);
    else parts.capture.completed(exchangeOf(call, outcome, parts));
  } finally {
    releaseCall(call);
  }
}

export function releaseCall({ request, answer }: Call): void {
  request.release();
  answer.release();
}

function exchangeOf(call: Call, outcome: SeenExchange['outcome'], parts: GrpcParts): SeenExchange {
  const { asked, request, answer } = call;
  const wanted = specOf(request, call.method, 'request');
  const used = specOf(answer, call.method, 'answer');
  const status = statusOf(call);
  const encoding = asked.get('grpc-encoding');
  return {
    id: call.id,
    route: {
      model: wanted.name ?? used.name ?? parts.model,
      ...(wanted.version === undefined ? {} : { version: wanted.version }),
    },
    method: 'POST',
    target: call.target,
    protocol: 'grpc',
    ...status,
    ...(used.version === undefined ? {} : { answered: used.version }),
    // A message that ends before its time was no answer.
    outcome: outcome === 'complete' && status.status === 200 && !answer.whole ? 'upstream_aborted' : outcome,
    at: call.at,
    startedAt: call.startedAt,
    endedAt: parts.clock.monotonic(),
    correlationId: asked.get('x-request-id'),
    eventTime: asked.get('x-fairway-time'),
    requestEncoding: request.compressed ? (encoding ?? 'unknown') : undefined,
    request: request.pieces,
    requestLength: request.length,
    response: answer.pieces,
    responseLength: answer.length,
    truncated: request.truncated || answer.truncated,
  };
}

/** 0 as long as there is no status; one of HTTP where something before the model answered in its place. */
function statusOf({ told }: Call): { status: number; grpcStatus?: number } {
  const grpc = told?.get('grpc-status');
  if (grpc !== undefined) {
    const grpcStatus = readGrpcStatus(grpc);
    return { status: httpStatusOf(grpcStatus), grpcStatus };
  }
  const http = told?.get(':status') ?? '';
  return { status: /^[2-5]\d\d$/.test(http) && http !== '200' ? Number(http) : 0 };
}
