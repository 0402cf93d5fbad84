import type { Duplex } from 'node:stream';
import type { ClientBase, Submittable } from 'pg';

/** A statement with texts and numbers for its parameters; named: it is planned once for each connection. */
export type Ask = {
  readonly text: string;
  readonly name?: string;
  readonly values?: ReadonlyArray<string | number | null>;
};
/** A COPY … FROM STDIN and what it reads. */
export type Copy = { readonly text: string; readonly pieces: Iterable<Buffer> };
export type Part = Ask | Copy;

/** Fields of a row as PostgreSQL prints them. */
export type Fields = ReadonlyArray<string | null>;

/**
 * Runs all parts in one round trip, one after the other (its manual, "Extended Query", "Pipelining"): what follows a part that
 * fails does not run. Answers the rows of all parts. Rejects with the first error; `where` of a COPY's names the line, from 1.
 */
export async function batch(client: ClientBase, parts: readonly Part[]): Promise<readonly Fields[]> {
  if (parts.length === 0) return [];
  return new Promise((resolve, reject) => {
    client.query(new Batch(parts, resolve, reject) as unknown as Submittable);
  });
}

/** An array of texts as a parameter. What a damaged head holds in place of a text is not refused here, but by the column of its row. */
export const textArray = (texts: readonly unknown[]): string =>
  `{${texts.map((text) => `"${String(text).replaceAll(/["\\]/g, String.raw`\$&`)}"`).join(',')}}`;

/** What we use of `pg`'s connection, which its types do not show. */
type Wire = {
  readonly stream: Duplex;
  readonly parsedStatements: Record<string, string>;
  parse(statement: { text: string; name?: string | undefined }): void;
  bind(portal: { statement: string; values: readonly unknown[]; valueMapper: (value: unknown) => unknown }): void;
  execute(portal: object): void;
  close(statement: { type: 'S'; name: string }): void;
  sync(): void;
  sendCopyFail(message: string): void;
};

/** CopyDone ("Message Formats" in PostgreSQL's manual). */
const DONE = Buffer.from([0x63, 0, 0, 0, 4]);
const asText = (value: unknown): unknown => (typeof value === 'number' ? String(value) : value);

class Batch {
  private readonly rows: Fields[] = [];
  private readonly names: Array<readonly [name: string, text: string]> = [];
  private failure: Error | undefined;
  private readonly parts: readonly Part[];
  private readonly resolve: (rows: readonly Fields[]) => void;
  private readonly reject: (error: Error) => void;

  constructor(parts: readonly Part[], resolve: (rows: readonly Fields[]) => void, reject: (error: Error) => void) {
    this.parts = parts;
    this.resolve = resolve;
    this.reject = reject;
  }

  submit(wire: Wire): void {
    this.send(wire, this.messages(wire));
  }

  /** Rows leave without waiting until the server asks for them; only a full socket is waited for. */
  private send(wire: Wire, messages: Iterator<boolean>): void {
    const { stream } = wire;
    stream.cork();
    try {
      while (this.failure === undefined) {
        const { done, value: goesOn } = messages.next();
        if (done) break;
        if (!goesOn) {
          stream.once('drain', () => this.send(wire, messages));
          return;
        }
      }
      wire.sync();
    } catch (error) {
      this.failure = error as Error;
      wire.sendCopyFail('the rows could not be written');
      wire.sync();
    } finally {
      stream.uncork();
    }
  }

  /** After each message whether the socket takes more. */
  private *messages(wire: Wire): Generator<boolean> {
    for (const part of this.parts) {
      this.ask(wire, part);
      if (!('pieces' in part)) continue;
      for (const piece of part.pieces) {
        wire.stream.write(dataHead(piece.length));
        yield wire.stream.write(piece);
      }
      wire.stream.write(DONE);
    }
  }

  private ask(wire: Wire, { text, name = '', values = [] }: Ask): void {
    if (name === '') wire.parse({ text });
    else if (wire.parsedStatements[name] === undefined) {
      // An earlier batch may have failed after it: closing what is not there is no error.
      wire.close({ type: 'S', name });
      wire.parse({ text, name });
      this.names.push([name, text]);
    }
    wire.bind({ statement: name, values, valueMapper: asText });
    wire.execute({});
  }

  handleDataRow({ fields }: { readonly fields: Fields }): void {
    this.rows.push(fields);
  }

  handleError(error: Error): void {
    this.failure ??= error;
    this.reject(this.failure);
  }

  handleReadyForQuery({ parsedStatements }: Wire): void {
    if (this.failure !== undefined) return this.reject(this.failure);
    for (const [name, text] of this.names) parsedStatements[name] = text;
    this.resolve(this.rows);
  }

  handleRowDescription(): void {}
  handleCommandComplete(): void {}
  handleCopyInResponse(): void {}
  handleEmptyQuery(): void {}
  callback(): void {}
}

/** The head of a CopyData message. */
function dataHead(length: number): Buffer {
  const head = Buffer.allocUnsafe(5);
  head[0] = 0x64;
  head.writeUInt32BE(length + 4, 1);
  return head;
}
