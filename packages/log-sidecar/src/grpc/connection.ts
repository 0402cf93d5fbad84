import { bump } from '../tally.ts';
import { beginCall, type Call, type Fields, finishCall, type GrpcParts, releaseCall } from './call.ts';
import { FrameReader, type Frames } from './frames.ts';
import { HpackDecoder } from './hpack.ts';
import type { Method } from './model-spec.ts';
import type { UnframedReason } from './unframed.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
/** Calls that may wait for their answers on one connection. */
const STREAM_CAP = 4096;
/** The largest table of header fields that is followed. */
const TABLE_CAP = 64 * 1024;

const SERVICE = '/tensorflow.serving.PredictionService/';
const INFERENCE: ReadonlyMap<string, Method> = new Map(
  (['Predict', 'Classify', 'Regress', 'MultiInference'] as const).map((method) => [SERVICE + method, method]),
);
const WANTED: ReadonlySet<string> = new Set([
  ':method',
  ':path',
  ':status',
  'grpc-status',
  'grpc-encoding',
  'x-request-id',
  'x-fairway-time',
]);
const OTHERS: Readonly<Record<string, string>> = {
  [`${SERVICE}GetModelMetadata`]: 'metadata',
  '/tensorflow.serving.ModelService/GetModelStatus': 'status',
};

/**
 * The calls of one client connection, as gRPC carries them over HTTP/2 (RFC 9113): each stream that calls an inference
 * method is a call, and is handed to capture when its answer has ended. It looks on and changes nothing; of what it
 * does not understand it says why, and its owner stops.
 */
export class GrpcConnection {
  private readonly parts: GrpcParts;
  private readonly requests: FrameReader;
  private readonly answers: FrameReader;
  private readonly asks = new HpackDecoder(TABLE_CAP);
  private readonly tells = new HpackDecoder(TABLE_CAP);
  private readonly calls = new Map<number, Call>();
  private lastStream = 0;

  constructor(parts: GrpcParts) {
    this.parts = parts;
    this.requests = new FrameReader(PREFACE, this.requestFrames());
    this.answers = new FrameReader(Buffer.alloc(0), this.answerFrames());
  }

  /** Reads what the client sent. A reason means that this connection is over for us. */
  request(chunk: Buffer): UnframedReason | undefined {
    return this.requests.push(chunk);
  }

  /** The same for what the model sent. */
  answer(chunk: Buffer): UnframedReason | undefined {
    return this.answers.push(chunk);
  }

  get idle(): boolean {
    return this.calls.size === 0 && this.requests.idle && this.answers.idle;
  }

  /** No call gets an answer any more. */
  ended(outcome: 'client_aborted' | 'upstream_aborted'): void {
    for (const stream of this.calls.keys()) this.finish(stream, outcome);
  }

  /** Capture of this connection ends; the calls that are under way are lost and counted. */
  stop(): void {
    const calls = [...this.calls.values()];
    this.calls.clear();
    for (const call of calls) {
      releaseCall(call);
      this.parts.capture.missed('unframed');
    }
  }

  private requestFrames(): Frames {
    return {
      headers: (stream, block) => this.asked(stream, block),
      data: (stream, piece) => this.calls.get(stream)?.request.add(piece),
      ends: () => {},
      reset: (stream) => this.finish(stream, 'client_aborted'),
      setting: (name, value) => {
        if (name === 'table') this.tells.allow(value);
        else this.answers.maxFrame = Math.max(this.answers.maxFrame, value);
      },
      // It tells of streams that the server would begin, and there are none.
      goaway: () => {},
    };
  }

  private answerFrames(): Frames {
    return {
      headers: (stream, block, ends) => this.told(stream, block, ends),
      data: (stream, piece) => {
        const call = this.calls.get(stream);
        // With another status something before the model answers, and not with a message.
        if (call?.told?.get(':status') === '200') call.answer.add(piece);
      },
      ends: (stream) => this.answered(stream),
      reset: (stream) => this.finish(stream, 'upstream_aborted'),
      setting: (name, value) => {
        if (name === 'table') this.asks.allow(value);
        else this.requests.maxFrame = Math.max(this.requests.maxFrame, value);
      },
      goaway: (last) => {
        for (const stream of this.calls.keys()) if (stream > last) this.finish(stream, 'upstream_aborted');
      },
    };
  }

  private asked(stream: number, block: Buffer): UnframedReason | undefined {
    const fields = read(this.asks, block);
    if (!fields) return 'headers_malformed';
    if (stream % 2 === 0) return 'malformed';
    // Trailers of a request say nothing to us.
    if (stream <= this.lastStream) return undefined;
    this.lastStream = stream;
    const target = fields.get(':path') ?? '';
    const method = fields.get(':method') === 'POST' ? INFERENCE.get(target) : undefined;
    bump(this.parts.tally.requests, method ? 'inference' : (OTHERS[target] ?? 'other'));
    if (method === undefined) return undefined;
    const call = beginCall(method, target, fields, this.parts);
    this.calls.set(stream, call);
    return this.calls.size > STREAM_CAP ? 'too_many_streams' : undefined;
  }

  private told(stream: number, block: Buffer, ends: boolean): UnframedReason | undefined {
    const fields = read(this.tells, block);
    if (!fields) return 'headers_malformed';
    if (stream > this.lastStream || stream % 2 === 0) return 'malformed';
    const call = this.calls.get(stream);
    if (!call) return undefined;
    // A 1xx head goes before the answer's own.
    if (!fields.get(':status')?.startsWith('1')) {
      if (call.told) for (const [name, value] of fields) call.told.set(name, value);
      else call.told = fields;
    }
    if (ends) this.answered(stream);
    return undefined;
  }

  /** The model ended its side: with trailers, or with an answer that is none. */
  private answered(stream: number): void {
    const told = this.calls.get(stream)?.told;
    const isAnswer = told?.has('grpc-status') || (told !== undefined && told.get(':status') !== '200');
    this.finish(stream, isAnswer ? 'complete' : 'upstream_aborted');
  }

  private finish(stream: number, outcome: 'complete' | 'client_aborted' | 'upstream_aborted'): void {
    const call = this.calls.get(stream);
    if (!call) return;
    this.calls.delete(stream);
    finishCall(call, outcome, this.parts);
  }
}

function read(decoder: HpackDecoder, block: Buffer): Fields | undefined {
  const fields: Fields = new Map();
  try {
    decoder.decode(block, (name, value) => {
      if (WANTED.has(name) && !fields.has(name)) fields.set(name, value);
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  return fields;
}
