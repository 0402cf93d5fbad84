import { gunzipSync } from 'node:zlib';
import type { Exchange } from '@fairway/core';
import { type Document, readBody } from './read-json.ts';

/** TF Serving inflates requests to at most 100 MiB; what is larger than this stays bytes, so that no body holds up the rest. */
const MAX_INFLATED = 32 * 1024 * 1024;

/**
 * The request as TensorFlow Serving read it: inflated when its `Content-Encoding` contains `gzip`, as it is under any other
 * name. Answers `undecodable` when that gives nothing to read, `request_unreadable` when what it gives is no JSON.
 */
export function readRequest({ head, request }: Exchange): Document | 'undecodable' | 'request_unreadable' {
  const encoding = head.requestEncoding?.toLowerCase() ?? '';
  let body = request;
  try {
    if (encoding.includes('gzip')) body = gunzipSync(request, { maxOutputLength: MAX_INFLATED });
  } catch {
    return 'undecodable';
  }
  const isPlain = encoding === '' || encoding === 'identity' || encoding.includes('gzip');
  return readOr(body, isPlain ? 'request_unreadable' : 'undecodable');
}

/** The answer; TensorFlow Serving never compresses it. */
export const readResponse = ({ response }: Exchange): Document | 'response_unreadable' =>
  readOr(response, 'response_unreadable');

function readOr<T extends string>(bytes: Uint8Array, reason: T): Document | T {
  try {
    return readBody(bytes);
  } catch {
    return reason;
  }
}
