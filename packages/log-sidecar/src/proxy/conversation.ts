import type { AgentClock, Capture, InferenceRoute, RawExchange } from '../ports.ts';
import { bump, type Tally } from '../tally.ts';
import { Framer } from './framer.ts';
import { type BodyFrame, parseRequestHead, parseResponseHead, type RequestHead } from './head.ts';
import { inferenceRoute, otherRoute } from './route.ts';
import { type BodyBudget, Tape } from './tape.ts';
import type { UnframedReason } from './unframed.ts';

/** Requests that may wait for their answers on one connection. */
const PIPELINE_CAP = 64;
const DEFAULT_BODY_CAP = 1024 * 1024;
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]/;
const TLS_HANDSHAKE = 0x16;
const UPPER_H = 0x48;

export type ConversationParts = {
  readonly capture: Capture;
  readonly clock: AgentClock;
  readonly tally: Tally;
  readonly budget: BodyBudget;
  /** Bytes kept of each body; beyond, the exchange is `truncated`. 1 MiB if not said. */
  readonly bodyCap?: number;
};

/** A header line that belongs before the byte at `at` of the chunk just read (-1: before the held CR of the last one). */
export type Insert = { readonly at: number; readonly line: Buffer };

type Pending = { readonly method: string; readonly inference: Inference | undefined };

type Inference = {
  readonly id: string;
  readonly route: InferenceRoute;
  readonly head: RequestHead;
  readonly at: number;
  readonly startedAt: number;
  readonly request: Tape;
  readonly response: Tape;
  status: number;
};

/**
 * Pairs the requests and answers of one client connection, first in, first out, and hands each finished inference
 * exchange to capture. An exchange is complete when its answer is, even when the request's body was not read to its
 * end: the caller has its answer then.
 */
export class Conversation {
  private readonly parts: ConversationParts;
  private readonly requests: Framer;
  private readonly responses: Framer;
  private readonly pending: Pending[] = [];
  private reading: Inference | undefined;
  private interim = false;
  private inserts: Insert[] = [];

  constructor(parts: ConversationParts) {
    this.parts = parts;
    this.requests = new Framer({
      first: (byte) => firstRequestByte(byte),
      head: (head) => this.requestHead(head),
      body: (piece) => this.reading?.request.add(piece),
      end: () => {
        this.reading = undefined;
      },
    });
    this.responses = new Framer({
      first: (byte) => (byte === UPPER_H ? undefined : 'malformed'),
      head: (head, end) => this.responseHead(head, end),
      body: (piece) => this.pending[0]?.inference?.response.add(piece),
      end: () => this.responseEnd(),
    });
  }

  /** Reads what the client sent. A reason means that this conversation is over for us. */
  request(chunk: Buffer): UnframedReason | undefined {
    return this.requests.push(chunk);
  }

  /** Reads what the model answered, and says where id headers go in this chunk. */
  response(chunk: Buffer): { reason: UnframedReason | undefined; inserts: readonly Insert[] } {
    this.inserts = [];
    const reason = this.responses.push(chunk);
    return { reason, inserts: this.inserts };
  }

  /** The last byte of the chunk is a CR before which an id header may have to go. */
  get holdsCr(): boolean {
    return this.responses.endsInBlankLine;
  }

  get idle(): boolean {
    return this.pending.length === 0 && this.requests.idle && this.responses.idle;
  }

  /** The model has closed its side. What is unanswered now stays unanswered. */
  upstreamEnded(): void {
    this.responses.finish();
    this.abort('upstream_aborted');
  }

  clientGone(): void {
    this.abort('client_aborted');
  }

  /** Capture of this connection ends; the exchanges that are under way are lost and counted. */
  stop(): void {
    for (const { inference } of this.pending.splice(0)) {
      if (!inference) continue;
      release(inference);
      this.parts.capture.missed('unframed');
    }
    this.reading = undefined;
  }

  private requestHead(bytes: Buffer): { body: BodyFrame } | UnframedReason {
    const head = parseRequestHead(bytes);
    if (typeof head === 'string') return head;
    if (this.pending.length >= PIPELINE_CAP) return 'pipeline_too_deep';
    const route = inferenceRoute(head.method, head.target);
    bump(this.parts.tally.requests, route ? 'inference' : otherRoute(head.method, head.target));
    this.reading = route ? this.begin(head, route) : undefined;
    this.pending.push({ method: head.method, inference: this.reading });
    return head;
  }

  private begin(head: RequestHead, route: InferenceRoute): Inference {
    const { capture, clock, budget, bodyCap = DEFAULT_BODY_CAP } = this.parts;
    return {
      id: capture.nextId(),
      route,
      head,
      at: clock.now(),
      startedAt: clock.monotonic(),
      request: new Tape(bodyCap, budget),
      response: new Tape(bodyCap, budget),
      status: 0,
    };
  }

  private responseHead(bytes: Buffer, end: number): { body: BodyFrame } | UnframedReason {
    const pending = this.pending[0];
    if (!pending) return 'unpaired';
    const head = parseResponseHead(bytes, pending.method);
    if (typeof head === 'string') return head;
    this.interim = head.status < 200;
    if (!this.interim && pending.inference) {
      pending.inference.status = head.status;
      this.inserts.push({ at: end - 2, line: Buffer.from(`x-fairway-id: ${pending.inference.id}\r\n`, 'latin1') });
    }
    return head;
  }

  private responseEnd(): void {
    if (this.interim) return;
    const done = this.pending.shift();
    if (done?.inference) this.finish(done.inference, 'complete');
  }

  private abort(outcome: 'client_aborted' | 'upstream_aborted'): void {
    for (const { inference } of this.pending.splice(0)) if (inference) this.finish(inference, outcome);
    this.reading = undefined;
  }

  private finish(inference: Inference, outcome: RawExchange['outcome']): void {
    if (this.reading === inference) this.reading = undefined;
    const { id, route, head, at, startedAt, status, request, response } = inference;
    this.parts.capture.completed({
      id,
      route,
      method: head.method,
      target: head.target,
      status,
      outcome,
      at,
      startedAt,
      endedAt: this.parts.clock.monotonic(),
      correlationId: head.correlationId,
      eventTime: head.eventTime,
      requestEncoding: head.encoding,
      request: request.bytes(),
      requestLength: request.length,
      response: response.bytes(),
      responseLength: response.length,
      truncated: request.truncated || response.truncated,
    });
    release(inference);
  }
}

function release(inference: Inference): void {
  inference.request.release();
  inference.response.release();
}

function firstRequestByte(byte: number): UnframedReason | undefined {
  if (byte === TLS_HANDSHAKE) return 'tls';
  return TOKEN.test(String.fromCharCode(byte)) ? undefined : 'malformed';
}
