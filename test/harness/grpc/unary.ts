import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
  ServerHttp2Stream,
} from 'node:http2';
import { constants } from 'node:http2';

export const PREDICT = '/tensorflow.serving.PredictionService/Predict';

/** A message with gRPC's flag and length before it. */
export function framed(message: Uint8Array, compressed = false): Buffer {
  const head = Buffer.alloc(5);
  head[0] = compressed ? 1 : 0;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** One call as the server saw it. */
export type Asked = { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: Buffer };

/** `pieces`: the body goes out in so many DATA frames. */
export type Answer =
  | {
      readonly kind: 'message';
      readonly body: Buffer;
      readonly status?: number;
      readonly pieces?: number;
      readonly headers?: OutgoingHttpHeaders;
    }
  | { readonly kind: 'error'; readonly status: number }
  | { readonly kind: 'http'; readonly status: number }
  | { readonly kind: 'reset' | 'silence' | 'no trailers' };

/** Answers one stream of a server's as a gRPC server does, once the request has ended. */
export function answerCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  answer: (asked: Asked) => Answer,
): void {
  const pieces: Buffer[] = [];
  stream.on('error', () => {});
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  stream.on('end', () => {
    tell(stream, answer({ path: headers[':path'] ?? '', headers, body: Buffer.concat(pieces) }));
  });
}

const HEAD = { ':status': 200, 'content-type': 'application/grpc' };

function tell(stream: ServerHttp2Stream, answer: Answer): void {
  switch (answer.kind) {
    case 'message':
      stream.respond({ ...HEAD, ...answer.headers }, { waitForTrailers: true });
      stream.on('wantTrailers', () =>
        stream.sendTrailers({ 'grpc-status': String(answer.status ?? 0), 'grpc-message': '' }),
      );
      for (const piece of cut(answer.body, answer.pieces ?? 1)) stream.write(piece);
      stream.end();
      return;
    case 'error':
      stream.respond({ ...HEAD, 'grpc-status': String(answer.status), 'grpc-message': 'no' }, { endStream: true });
      return;
    case 'http':
      stream.respond({ ':status': answer.status, 'content-type': 'text/plain' });
      stream.end('upstream connect error');
      return;
    case 'no trailers':
      stream.respond(HEAD);
      stream.end(framed(Buffer.from('half')));
      return;
    case 'reset':
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      return;
    case 'silence':
      return;
    default:
      return answer satisfies never;
  }
}

export type Told = { readonly status: number | undefined; readonly body: Buffer; readonly closed: number };

/** Starts a unary call; the body goes out in so many DATA frames. */
export function ask(
  session: ClientHttp2Session,
  path: string,
  body: Buffer,
  { headers = {}, pieces = 1 }: { headers?: OutgoingHttpHeaders; pieces?: number } = {},
): { readonly stream: ClientHttp2Stream; readonly told: Promise<Told> } {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  for (const piece of cut(body, pieces)) stream.write(piece);
  stream.end();
  return { stream, told: tellOf(stream) };
}

function tellOf(stream: ClientHttp2Stream): Promise<Told> {
  const got: Buffer[] = [];
  let status: number | undefined;
  const read = (fields: IncomingHttpHeaders) => {
    if (fields['grpc-status'] !== undefined) status = Number(fields['grpc-status']);
  };
  stream.on('error', () => {});
  stream.on('response', read);
  stream.on('trailers', read);
  stream.on('data', (piece: Buffer) => got.push(piece));
  return new Promise((resolve) => {
    stream.once('close', () => resolve({ status, body: Buffer.concat(got), closed: stream.rstCode ?? 0 }));
  });
}

function cut(bytes: Buffer, pieces: number): Buffer[] {
  const size = Math.max(1, Math.ceil(bytes.length / pieces));
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}
