import { hashFields } from './ids.ts';
import type { VersionSource } from './monitoring.ts';
import { FairwayError } from './errors.ts';

/** What the agent knows about one captured HTTP exchange, besides its bytes. */
export type ExchangeHead = {
  readonly v: 1;
  /** Exchange id, given back to the caller as `x-fairway-id`. */
  readonly id: string;
  /** Sequence within the agent's epoch; a gap is a counted loss. */
  readonly seq: number;
  /** Business time (RFC 3339 UTC): `x-fairway-time` where the deployment trusts it, else the wall clock. */
  readonly time: string;
  readonly model: string;
  /** Version that answered; empty when it could not be learned. */
  readonly version: string;
  readonly versionSource: VersionSource;
  readonly environment: string;
  readonly method: string;
  /** Request target as sent, e.g. `/v1/models/home-equity:predict`. */
  readonly target: string;
  readonly status: number;
  readonly latencyMs: number;
  readonly outcome: 'complete' | 'client_aborted' | 'upstream_aborted';
  /**
   * How the bodies are to be read; absent: TensorFlow Serving's JSON over HTTP. `grpc`: request and response are one
   * protobuf message each (without gRPC's 5-byte prefix), `target` is the path of the method, `status` is the HTTP status
   * that REST would have given for `grpcStatus`.
   */
  readonly protocol?: 'grpc';
  readonly grpcStatus?: number;
  readonly correlationId?: string;
  readonly requestEncoding?: string;
  /** Bodies were cut at the cap; lengths tell how long they were. */
  readonly truncated?: boolean;
  /** Probability with which exchanges of this agent are recorded, where that is less than 1. */
  readonly sampling?: number;
  readonly redacted?: Redacted;
  readonly requestLength: number;
  readonly responseLength: number;
};

/** What was taken out before anything was written: variables in both bodies, or a body as a whole and why. */
export type Redacted = {
  readonly variables: readonly string[];
  readonly request?: Withheld;
  readonly response?: Withheld;
};

export type Withheld = 'unparsable' | 'truncated' | 'too_large' | 'encoding' | 'unnamed' | 'error_body';

/** One captured exchange: the head and the faithful raw bytes of both bodies. */
export type Exchange = { readonly head: ExchangeHead; readonly request: Uint8Array; readonly response: Uint8Array };

/** Binary frame: u32 head length, head as UTF-8 JSON, u32 request length, request, u32 response length, response (big endian). */
export function encodeExchange({ head, request, response }: Exchange): Buffer {
  const json = Buffer.from(JSON.stringify(head));
  const frame = Buffer.allocUnsafe(12 + json.length + request.length + response.length);
  let at = frame.writeUInt32BE(json.length, 0);
  at += json.copy(frame, at);
  at = frame.writeUInt32BE(request.length, at);
  frame.set(request, at);
  at = frame.writeUInt32BE(response.length, at + request.length);
  frame.set(response, at);
  return frame;
}

/** Decodes frames that stand one after the other. Throws `pack.invalid` on a torn or foreign frame. */
export function decodeExchanges(bytes: Uint8Array): Exchange[] {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const exchanges: Exchange[] = [];
  let at = 0;
  const field = (): Buffer => {
    const start = at + 4;
    const end = start > data.length ? Number.POSITIVE_INFINITY : start + data.readUInt32BE(at);
    if (end > data.length) {
      throw new FairwayError('pack.invalid', `A capture pack ends in the middle of an exchange at byte ${at}.`);
    }
    at = end;
    return data.subarray(start, end);
  };
  while (at < data.length) {
    const head = JSON.parse(field().toString('utf8')) as ExchangeHead;
    exchanges.push({ head, request: field(), response: field() });
  }
  return exchanges;
}

/** A BullMQ job of queue {@link PACK_QUEUE}: exchanges `first..last` of one agent epoch. Its job id is `packId`. */
export type Pack = {
  /** How to read it. One that is higher than a recorder knows waits in the queue; fields that may be absent leave it as it is. */
  readonly v: 1;
  readonly packId: string;
  readonly agent: string;
  readonly epoch: string;
  /** The model that the agent serves, whatever its exchanges ask for; absent: told by an agent that did not say it, or by no agent. */
  readonly model?: string;
  readonly first: number;
  readonly last: number;
  readonly exchanges: number;
  /** gzip of concatenated exchange frames, base64: safe for Redis and for PostgreSQL's jsonb alike. */
  readonly payload: string;
  /**
   * Losses of this epoch so far, by reason, and under {@link SAMPLED_OUT} what its sample left out, which is none and
   * no gap in the sequence; the newest pack has the newest totals.
   */
  readonly dropped: Readonly<Record<string, number>>;
};

export const SAMPLED_OUT = 'sampled_out';

export const PACK_QUEUE = 'fairway-packs';

/**
 * Answer of a Redis that is no longer the primary, also from within a script. It keeps the connections of its clients, so only who
 * connects again comes to the new one behind the same address.
 */
export const isDemoted = ({ message }: Error): boolean => message.includes('READONLY');

/** Deterministic pack id: the same range of the same epoch is the same job and the same ledger row. */
export function packId(agent: string, epoch: string, first: number, last: number): string {
  return `p-${hashFields([agent, epoch, String(first), String(last)]).slice(0, 32)}`;
}
