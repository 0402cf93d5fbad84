import { gunzipSync } from 'node:zlib';
import type { Exchange, ExchangeHead, Withheld } from '@fairway/core';
import { type Tally, bump } from '../tally.ts';
import { redactGrpc, Unchangeable } from './redact-grpc.ts';
import { redactJson, Unnamed } from './redact.ts';
import type { Rules } from './rules.ts';

/** Larger JSON is withheld: to read it in one go would keep the sockets waiting for too long. */
const MAX_JSON_BYTES = 512 * 1024;
const EMPTY = new Uint8Array(0);

export type Redaction = { readonly rules: Rules; readonly key: string; readonly tally: Tally };

type Body = { readonly bytes: Uint8Array } | { readonly withheld: Withheld };

/**
 * The exchange as it may be written down. A body that cannot be read cannot be redacted, so nothing of it is left but
 * its length and the reason. What was gzip is plain afterwards.
 */
export function redactExchange({ head, request, response }: Exchange, redaction: Redaction): Exchange {
  const asked = requestOf(head, request, redaction);
  const answered = responseOf(head, response, redaction);
  const { requestEncoding: _, ...rest } = head;
  return {
    head: {
      ...rest,
      redacted: {
        variables: [...redaction.rules.keys()],
        ...('withheld' in asked ? { request: counted(asked.withheld, redaction.tally) } : {}),
        ...('withheld' in answered ? { response: counted(answered.withheld, redaction.tally) } : {}),
      },
    },
    request: 'bytes' in asked ? asked.bytes : EMPTY,
    response: 'bytes' in answered ? answered.bytes : EMPTY,
  };
}

function requestOf(head: ExchangeHead, bytes: Uint8Array, redaction: Redaction): Body {
  if (bytes.length < head.requestLength) return { withheld: 'truncated' };
  const encoding = head.requestEncoding?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity') return redactBody(head, bytes, 'request', redaction);
  if (encoding !== 'gzip' && encoding !== 'x-gzip') return { withheld: 'encoding' };
  try {
    return redactBody(head, gunzipSync(bytes, { maxOutputLength: MAX_JSON_BYTES }), 'request', redaction);
  } catch (error) {
    return { withheld: (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE' ? 'too_large' : 'unparsable' };
  }
}

function responseOf(head: ExchangeHead, bytes: Uint8Array, redaction: Redaction): Body {
  if (bytes.length < head.responseLength) return { withheld: 'truncated' };
  // The model's error messages quote the caller's JSON, a long string as a whole.
  if (head.status !== 200 && bytes.length > 0) return { withheld: 'error_body' };
  return redactBody(head, bytes, 'response', redaction);
}

function redactBody(
  { protocol, target }: ExchangeHead,
  bytes: Uint8Array,
  side: 'request' | 'response',
  { rules, key }: Redaction,
): Body {
  if (bytes.length === 0) return { bytes };
  if (bytes.length > MAX_JSON_BYTES) return { withheld: 'too_large' };
  try {
    if (protocol === 'grpc') return { bytes: redactGrpc(bytes, { target, side, most: MAX_JSON_BYTES }, rules, key) };
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { bytes: Buffer.from(redactJson(text, rules, key, side)) };
  } catch (error) {
    if (error instanceof Unchangeable) return { withheld: 'encoding' };
    return { withheld: error instanceof Unnamed ? 'unnamed' : 'unparsable' };
  }
}

function counted(reason: Withheld, tally: Tally): Withheld {
  bump(tally.withheld, reason);
  return reason;
}
