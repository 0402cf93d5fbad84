import type { UnframedReason } from './unframed.ts';

export const HEAD_CAP = 32 * 1024;

/** Bytes of body behind a head: a number, chunked, or everything until the connection ends. */
export type BodyFrame = number | 'chunked' | 'eof';

export type RequestHead = {
  readonly method: string;
  readonly target: string;
  readonly body: BodyFrame;
  readonly correlationId: string | undefined;
  readonly eventTime: string | undefined;
  readonly encoding: string | undefined;
};

export type ResponseHead = { readonly status: number; readonly body: BodyFrame };

type Fields = {
  contentLength?: number;
  chunked?: boolean;
  correlationId?: string;
  eventTime?: string;
  encoding?: string;
};

/** The methods of RFC 9110, and PATCH. Behind any other a server may have left HTTP, so capture stops there. */
const METHOD = /^(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|TRACE|PATCH)$/;
const REQUEST_LINE = /^([A-Z]+) (\*|\/[\x21-\x7e]*) HTTP\/1\.([01])$/;
const HTTP2_LINE = 'PRI * HTTP/2.0';
const CONNECT_LINE = /^CONNECT [\x21-\x7e]+ HTTP\/1\.1$/;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/;
/** All field lines at once, each with its line end before it. Linear in the length of the head. */
export const FIELDS = /^(?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*)*$/;
const OURS = /\r\n(content-length|transfer-encoding|x-request-id|x-fairway-time|content-encoding):([^\r]*)/gi;

/**
 * Parses a request head, blank line included. What RFC 9112 leaves to judgement (bare LF, folded lines, two lengths,
 * length with chunked) is `malformed` here: capture stops, the server judges.
 */
export function parseRequestHead(bytes: Buffer): RequestHead | UnframedReason {
  const { line, fields } = split(bytes);
  if (line === HTTP2_LINE) return 'http2';
  if (CONNECT_LINE.test(line)) return 'connect';
  const start = REQUEST_LINE.exec(line);
  if (!start) return 'malformed';
  const [, method = '', target = '', minor] = start;
  const read = METHOD.test(method) ? readFields(fields) : undefined;
  if (!read || (read.chunked && minor === '0')) return 'malformed';
  return {
    method,
    target,
    body: read.chunked ? 'chunked' : (read.contentLength ?? 0),
    correlationId: read.correlationId,
    eventTime: read.eventTime,
    encoding: read.encoding,
  };
}

/** Parses an answer's head. `method` is that of its request: HEAD, 204 and 304 have no body whatever the length says. */
export function parseResponseHead(bytes: Buffer, method: string): ResponseHead | UnframedReason {
  const { line, fields } = split(bytes);
  const start = STATUS_LINE.exec(line);
  const read = start ? readFields(fields) : undefined;
  if (!start || !read || (read.chunked && start[1] === '0')) return 'malformed';
  const status = Number(start[2]);
  if (status === 101) return 'upgrade';
  if (status < 200 || status === 204 || status === 304 || method === 'HEAD') return { status, body: 0 };
  return { status, body: read.chunked ? 'chunked' : (read.contentLength ?? 'eof') };
}

function split(bytes: Buffer): { line: string; fields: string } {
  const text = bytes.toString('latin1', 0, bytes.length - 4);
  const end = text.indexOf('\r\n');
  return end < 0 ? { line: text, fields: '' } : { line: text.slice(0, end), fields: text.slice(end) };
}

/** undefined when a line is no field, or when the fields leave the length of the body in doubt. */
function readFields(text: string): Fields | undefined {
  if (!FIELDS.test(text)) return undefined;
  const fields: Fields = {};
  for (const [, name = '', value = ''] of text.matchAll(OURS)) {
    if (!readField(fields, name.toLowerCase(), value)) return undefined;
  }
  return fields.chunked && fields.contentLength !== undefined ? undefined : fields;
}

/** A tab behind the word is a blank (RFC 9110, 5.6.3), but node's parser does not see a chunked body then: servers differ. */
const CHUNKED = /^[\t ]*chunked *$/i;

/** `raw`: with the blanks around it. false when the field makes the length of the body doubtful. */
function readField(fields: Fields, name: string, raw: string): boolean {
  const value = trimmed(raw);
  switch (name) {
    case 'content-length':
      return readLength(fields, value);
    case 'transfer-encoding':
      if (fields.chunked || !CHUNKED.test(raw)) return false;
      fields.chunked = true;
      return true;
    case 'x-request-id':
      fields.correlationId ??= utf8(value);
      return true;
    case 'x-fairway-time':
      fields.eventTime ??= value;
      return true;
    default:
      fields.encoding ??= utf8(value);
      return true;
  }
}

function readLength(fields: Fields, value: string): boolean {
  if (fields.contentLength !== undefined || !/^[0-9]{1,15}$/.test(value)) return false;
  fields.contentLength = Number(value);
  return true;
}

/** Spaces and tabs only, by hand: a regular expression or `trim` would be quadratic, or cut more than HTTP allows. */
function trimmed(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value.charCodeAt(start))) start++;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--;
  return value.slice(start, end);
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

/** Heads are read as latin1; a value with high bytes was UTF-8 if it was anything. */
function utf8(value: string): string {
  for (let i = 0; i < value.length; i++) {
    if (value.charCodeAt(i) > 0x7f) return Buffer.from(value, 'latin1').toString('utf8');
  }
  return value;
}

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]/;
const TLS_HANDSHAKE = 0x16;

/** What the first byte of a connection's request says against reading on. */
export function firstRequestByte(byte: number): UnframedReason | undefined {
  if (byte === TLS_HANDSHAKE) return 'tls';
  return TOKEN.test(String.fromCharCode(byte)) ? undefined : 'malformed';
}
