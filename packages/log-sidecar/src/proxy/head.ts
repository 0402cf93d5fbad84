import type { UnframedReason } from './unframed.ts';

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

const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([^ ]+) HTTP\/([0-9])\.([0-9])$/;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: .*)?$/;
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const STRAY_CONTROL = /\r(?!\n)|(?<!\r)\n|\0/;

/**
 * Parses a request head, blank line included. What RFC 9112 leaves to judgement (bare LF, folded lines, two lengths,
 * length with chunked) is `malformed` here: capture stops, the server judges.
 */
export function parseRequestHead(bytes: Buffer): RequestHead | UnframedReason {
  const lines = headLines(bytes);
  const start = REQUEST_LINE.exec(lines?.[0] ?? '');
  if (!lines || !start) return 'malformed';
  const [, method = '', target = '', major, minor] = start;
  if (major === '2') return 'http2';
  if (method === 'CONNECT') return 'connect';
  const fields = readFields(lines);
  if (major !== '1' || !fields || (fields.chunked && minor === '0')) return 'malformed';
  return {
    method,
    target,
    body: fields.chunked ? 'chunked' : (fields.contentLength ?? 0),
    correlationId: fields.correlationId,
    eventTime: fields.eventTime,
    encoding: fields.encoding,
  };
}

/** Parses an answer's head. `method` is that of its request: HEAD, 204 and 304 have no body whatever the length says. */
export function parseResponseHead(bytes: Buffer, method: string): ResponseHead | UnframedReason {
  const lines = headLines(bytes);
  const start = STATUS_LINE.exec(lines?.[0] ?? '');
  if (!lines || !start) return 'malformed';
  const fields = readFields(lines);
  if (!fields || (fields.chunked && start[1] === '0')) return 'malformed';
  const status = Number(start[2]);
  if (status === 101) return 'upgrade';
  if (status < 200 || status === 204 || status === 304 || method === 'HEAD') return { status, body: 0 };
  return { status, body: fields.chunked ? 'chunked' : (fields.contentLength ?? 'eof') };
}

function headLines(bytes: Buffer): string[] | undefined {
  const text = bytes.toString('latin1', 0, bytes.length - 4);
  return STRAY_CONTROL.test(text) ? undefined : text.split('\r\n');
}

function readFields(lines: readonly string[]): Fields | undefined {
  const fields: Fields = {};
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] as string;
    const colon = line.indexOf(':');
    if (colon < 1) return undefined;
    const name = line.slice(0, colon);
    if (!FIELD_NAME.test(name)) return undefined;
    if (!readField(fields, name.toLowerCase(), line, colon + 1)) return undefined;
  }
  return fields.chunked && fields.contentLength !== undefined ? undefined : fields;
}

/** false when the field makes the length of the body doubtful. */
function readField(fields: Fields, name: string, line: string, from: number): boolean {
  switch (name) {
    case 'content-length':
      return readLength(fields, trimmed(line, from));
    case 'transfer-encoding':
      if (fields.chunked || trimmed(line, from).toLowerCase() !== 'chunked') return false;
      fields.chunked = true;
      return true;
    case 'x-request-id':
      fields.correlationId ??= utf8(trimmed(line, from));
      return true;
    case 'x-fairway-time':
      fields.eventTime ??= trimmed(line, from);
      return true;
    case 'content-encoding':
      fields.encoding ??= utf8(trimmed(line, from));
      return true;
    default:
      return true;
  }
}

function readLength(fields: Fields, value: string): boolean {
  if (fields.contentLength !== undefined || !/^[0-9]{1,15}$/.test(value)) return false;
  fields.contentLength = Number(value);
  return true;
}

/** Spaces and tabs only, by hand: a regular expression or `trim` would be quadratic, or cut more than HTTP allows. */
function trimmed(line: string, from: number): string {
  let start = from;
  let end = line.length;
  while (start < end && isBlank(line.charCodeAt(start))) start++;
  while (end > start && isBlank(line.charCodeAt(end - 1))) end--;
  return line.slice(start, end);
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

/** Heads are read as latin1; a value with high bytes was UTF-8 if it was anything. */
function utf8(value: string): string {
  for (let i = 0; i < value.length; i++) {
    if (value.charCodeAt(i) > 0x7f) return Buffer.from(value, 'latin1').toString('utf8');
  }
  return value;
}
