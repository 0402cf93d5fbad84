import { createRequire } from 'node:module';

type Headed = (
  major: number,
  minor: number,
  headers: string[] | undefined,
  method: number | undefined,
  url: string | undefined,
  status: number | undefined,
  reason: string | undefined,
  upgrade: boolean | undefined,
) => number;
type Callback = Headed | ((piece: Buffer) => void) | ((headers: string[], url: string) => void) | (() => void);
type Raw = {
  initialize(type: number, resource: object, headCap: number, lenient: number): void;
  /** Answers how many bytes were read: fewer than came when the message asked for an upgrade. */
  execute(bytes: Buffer): number | Error;
  finish(): Error | undefined;
  close(): void;
  [callback: number]: Callback;
};
type Failure = Error & { readonly code: string; readonly bytesParsed: number };
type Flags = Readonly<Record<string, number>>;
type Common = { readonly HTTPParser: Flags & (new () => Raw); readonly methods: readonly string[] };

// What node:http reads every message with. Behind a server or a client a pipelined answer cannot be looked at by itself.
const { HTTPParser, methods } = createRequire(import.meta.url)('_http_common') as Common;
const flag = (name: string): number => (HTTPParser as Flags)[name] ?? 0;

export type Message = {
  method: string;
  target: string;
  status: number;
  body: Buffer;
  headed: boolean;
  complete: boolean;
};

/** Node's own parser on the bytes of one direction. `bodiless` says of an answer's head that no body follows it. */
export class NodeParser {
  readonly messages: Message[] = [];
  refused: string | undefined;
  /** The message that is being read, or was read last, asks for another protocol. */
  private upgrade = false;
  private raw: Raw;
  private readonly kind: 'REQUEST' | 'RESPONSE';
  private readonly bodiless: (status: number) => boolean;

  constructor(kind: 'REQUEST' | 'RESPONSE', bodiless: (status: number) => boolean = () => false) {
    this.kind = kind;
    this.bodiless = bodiless;
    this.raw = this.fresh();
  }

  private fresh(): Raw {
    const raw = new HTTPParser();
    raw.initialize(flag(this.kind), {}, 2 ** 20, flag('kLenientNone'));
    this.listen(raw);
    return raw;
  }

  private listen(raw: Raw): void {
    let url = '';
    raw[flag('kOnMessageBegin')] = () => {
      url = '';
      this.messages.push({
        method: '',
        target: '',
        status: 0,
        body: Buffer.alloc(0),
        headed: false,
        complete: false,
      });
    };
    // More than 32 fields come in pieces, and the target with the first.
    raw[flag('kOnHeaders')] = (_headers: string[], piece: string) => {
      url += piece;
    };
    raw[flag('kOnHeadersComplete')] = (_major, _minor, _headers, method, target, status, _reason, upgrade) => {
      const one = { method: methods[method ?? -1] ?? '', target: target ?? url, status: status ?? 0, headed: true };
      Object.assign(this.last, one);
      this.upgrade = upgrade === true;
      return this.bodiless(one.status) ? 1 : 0;
    };
    raw[flag('kOnBody')] = (piece: Buffer) => {
      this.last.body = Buffer.concat([this.last.body, piece]);
    };
    raw[flag('kOnMessageComplete')] = () => {
      this.last.complete = true;
    };
  }

  push(chunk: Buffer): void {
    for (let rest = chunk; rest.length > 0 && this.refused === undefined; ) {
      const read = this.raw.execute(rest);
      rest = typeof read === 'number' ? this.behind(read, rest) : this.failed(read as Failure, rest);
    }
  }

  /**
   * A parser whose message asks for another protocol stops behind it and swallows errors from then on, answering places in
   * bytes of earlier calls. Whether the other protocol comes is for the answer to say: until then it is HTTP, for another parser.
   */
  private behind(read: number, rest: Buffer): Buffer {
    if (this.upgrade && this.last.complete) this.renew();
    else if (read !== rest.length) this.refused = 'an error in a message that asks for another protocol';
    return rest.subarray(read);
  }

  private renew(): void {
    this.upgrade = false;
    this.raw.close();
    this.raw = this.fresh();
  }

  /**
   * Whether a message may follow `Connection: close` is not for who only looks on: another parser reads it. (The lenient
   * one would not do: llhttp keeps the Content-Length of an answer without a body then, and adds digits to it.)
   */
  private failed(error: Failure, rest: Buffer): Buffer {
    if (error.code === 'HPE_CLOSED_CONNECTION') {
      this.renew();
      // Its first byte is read already.
      return rest.subarray(error.bytesParsed - 1);
    }
    this.refused = `${error.code}: ${error.message}`;
    return rest;
  }

  /** The direction ended: a body that lasts until then is whole. */
  finish(): void {
    if (this.refused === undefined) this.raw.finish();
  }

  /** Node holds a parser, and with it all that its callbacks refer to, until it is told. */
  close(): void {
    this.raw.close();
  }

  get last(): Message {
    const last = this.messages.at(-1);
    if (last === undefined) throw new Error('node tells of a message that has not begun');
    return last;
  }
}
