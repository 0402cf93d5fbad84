import { type AgentClock, type Capture, type InferenceRoute, LARGE_BODY, type RawExchange } from '../ports.ts';
import { bump, type Tally } from '../tally.ts';
import { FastHead } from './fast-head.ts';
import { Framer } from './framer.ts';
import { type BodyFrame, firstRequestByte, parseRequestHead, parseResponseHead, type RequestHead } from './head.ts';
import { inferenceRoute, otherRoute } from './route.ts';
import { type BodyBudget, Tape } from './tape.ts';
import type { UnframedReason } from './unframed.ts';

/** Requests that may wait for their answers on one connection. */
const PIPELINE_CAP = 64;
const DEFAULT_BODY_CAP = 1024 * 1024;
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
export type Insert = { readonly at: number; readonly line: string };

const NO_INSERTS: readonly Insert[] = [];

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
  endedAt: number;
  /** There was no room for it at its head. */
  isShed: boolean;
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
  /** Answered, and not yet told to capture: the caller gets the answer first. */
  private readonly done: Inference[] = [];
  private readonly fast = new FastHead();
  private lastTarget = '';
  private lastRoute: InferenceRoute | undefined;
  /** Where id headers go in the chunk that `response` just read. */
  inserts: readonly Insert[] = NO_INSERTS;

  constructor(parts: ConversationParts) {
    this.parts = parts;
    const { fast } = this;
    this.requests = new Framer({
      common: (chunk, at) => this.commonRequest(chunk, at),
      get commonEnd() {
        return fast.end;
      },
      first: (byte) => firstRequestByte(byte),
      head: (head) => this.requestHead(head),
      body: (piece) => this.reading?.request.add(piece),
      end: () => {
        this.reading = undefined;
      },
    });
    this.responses = new Framer({
      common: (chunk, at) => this.commonResponse(chunk, at),
      get commonEnd() {
        return fast.end;
      },
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

  /** Reads what the model answered; `inserts` says where id headers go in this chunk. */
  response(chunk: Buffer): UnframedReason | undefined {
    this.inserts = NO_INSERTS;
    return this.responses.push(chunk);
  }

  /** What was read is with the caller: capture may have it. */
  forwarded(): void {
    for (let next = this.done.shift(); next; next = this.done.shift()) this.hand(next, 'complete');
  }

  /** The last byte of the chunk is a CR before which an id header may have to go. */
  get holdsCr(): boolean {
    return this.responses.endsInBlankLine;
  }

  /** Bodies are kept as the chunks in which they came. */
  get holds(): boolean {
    return this.done.length > 0 || this.pending.some(({ inference }) => inference && !inference.isShed);
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
    const { capture } = this.parts;
    for (const inference of this.done.splice(0)) {
      try {
        this.hand(inference, 'complete');
      } catch {
        capture.missed('unframed');
      }
    }
    for (const { inference } of this.pending.splice(0)) {
      if (!inference) continue;
      release(inference);
      capture.missed('unframed');
    }
    this.reading = undefined;
  }

  private requestHead(bytes: Buffer): { body: BodyFrame } | UnframedReason {
    const head = parseRequestHead(bytes);
    if (typeof head === 'string') return head;
    if (this.pending.length >= PIPELINE_CAP) return 'pipeline_too_deep';
    this.asked(head);
    return head;
  }

  private commonRequest(chunk: Buffer, at: number): number {
    const head = this.pending.length >= PIPELINE_CAP ? undefined : this.fast.request(chunk, at);
    if (!head) return -1;
    this.asked(head);
    return head.body as number;
  }

  private asked(head: RequestHead): void {
    const route = this.routeOf(head);
    bump(this.parts.tally.requests, route ? 'inference' : otherRoute(head.method, head.target));
    this.reading = route ? this.begin(head, route) : undefined;
    if (this.reading) this.weigh(this.reading, head.body);
    this.pending.push({ method: head.method, inference: this.reading });
  }

  /** A connection mostly asks for the same again. */
  private routeOf({ method, target }: RequestHead): InferenceRoute | undefined {
    if (method !== 'POST') return undefined;
    if (target !== this.lastTarget) {
      this.lastTarget = target;
      this.lastRoute = inferenceRoute(method, target);
    }
    return this.lastRoute;
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
      endedAt: 0,
      isShed: false,
    };
  }

  /** A body of this length begins: where there is no room for it, none of the exchange is kept any longer. */
  private weigh(inference: Inference, body: BodyFrame): void {
    const { capture, bodyCap = DEFAULT_BODY_CAP } = this.parts;
    if (typeof body !== 'number' || body < LARGE_BODY || capture.hasRoom?.(Math.min(body, bodyCap)) !== false) return;
    inference.isShed = true;
    release(inference);
    inference.request.isShut = true;
    inference.response.isShut = true;
  }

  private responseHead(bytes: Buffer, end: number): { body: BodyFrame } | UnframedReason {
    const pending = this.pending[0];
    if (!pending) return 'unpaired';
    const head = parseResponseHead(bytes, pending.method);
    if (typeof head === 'string') return head;
    this.told(pending, head.status, end);
    if (pending.inference) this.weigh(pending.inference, head.body);
    return head;
  }

  private commonResponse(chunk: Buffer, at: number): number {
    const [pending] = this.pending;
    const head = pending === undefined || pending.method === 'HEAD' ? undefined : this.fast.response(chunk, at);
    if (!pending || !head) return -1;
    this.told(pending, head.status, this.fast.end);
    if (pending.inference) this.weigh(pending.inference, head.body);
    return head.body as number;
  }

  private told({ inference }: Pending, status: number, end: number): void {
    this.interim = status < 200;
    if (this.interim || !inference) return;
    inference.status = status;
    const insert = { at: end - 2, line: `x-fairway-id: ${inference.id}\r\n` };
    this.inserts = this.inserts.length === 0 ? [insert] : [...this.inserts, insert];
  }

  private responseEnd(): void {
    if (this.interim) return;
    const done = this.pending.shift();
    if (!done?.inference) return;
    this.ended(done.inference);
    this.done.push(done.inference);
  }

  private abort(outcome: 'client_aborted' | 'upstream_aborted'): void {
    this.forwarded();
    for (const { inference } of this.pending.splice(0)) {
      if (!inference) continue;
      this.ended(inference);
      this.hand(inference, outcome);
    }
    this.reading = undefined;
  }

  private ended(inference: Inference): void {
    if (this.reading === inference) this.reading = undefined;
    inference.endedAt = this.parts.clock.monotonic();
  }

  private hand(inference: Inference, outcome: RawExchange['outcome']): void {
    if (inference.isShed) {
      this.parts.capture.missed('ring_full', inference.id);
      return;
    }
    const { id, route, head, at, startedAt, endedAt, status, request, response } = inference;
    const exchange = {
      id,
      route,
      method: head.method,
      target: head.target,
      status,
      outcome,
      at,
      startedAt,
      endedAt,
      correlationId: head.correlationId,
      eventTime: head.eventTime,
      requestEncoding: head.encoding,
      request: request.body(),
      requestLength: request.length,
      response: response.body(),
      responseLength: response.length,
      truncated: request.truncated || response.truncated,
    };
    try {
      this.parts.capture.completed(exchange);
    } finally {
      release(inference);
    }
  }
}

function release(inference: Inference): void {
  inference.request.release();
  inference.response.release();
}
