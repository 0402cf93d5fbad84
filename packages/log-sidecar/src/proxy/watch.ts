import type { ConnectionWatch } from '../connection-watch.ts';
import { bump } from '../tally.ts';
import { Conversation, type ConversationParts, type Insert } from './conversation.ts';
import type { Breaker } from './breaker.ts';
import type { UnframedReason } from './unframed.ts';

const CR = Buffer.from('\r');
/** Up to here copying an answer together is cheaper than a gathered write of its pieces. */
const COPY_LIMIT = 16 * 1024;

/**
 * The guard between the bytes of a connection and everything that looks at them: no exception of capture gets past it,
 * and after one (or after bytes nobody understands) the connection goes on without capture.
 */
export class Watch implements ConnectionWatch {
  private readonly parts: ConversationParts;
  private readonly breaker: Breaker;
  private conversation: Conversation | undefined;
  /** The client is owed a CR: it came last in a chunk and an id header may have to go before it. */
  private owesCr = false;

  constructor(parts: ConversationParts, breaker: Breaker) {
    this.parts = parts;
    this.breaker = breaker;
    if (breaker.open) bump(parts.tally.unframed, 'capture_off');
    else this.conversation = new Conversation(parts);
  }

  /** Looks at bytes of the client that are already on their way. */
  request(chunk: Buffer): void {
    const { conversation } = this;
    if (!conversation) return;
    try {
      const reason = conversation.request(chunk);
      if (reason) this.stopFor(reason);
    } catch {
      this.failed();
    }
  }

  /**
   * Looks at bytes of the model and answers what the client is to get: the same bytes, with the id header in each
   * inference answer's head. Only a lone CR is ever held back, until the next byte or the end.
   */
  response(chunk: Buffer): readonly Buffer[] {
    const { conversation } = this;
    let inserts: readonly Insert[] = [];
    if (conversation) {
      try {
        const reason = conversation.response(chunk);
        inserts = conversation.inserts;
        if (reason) this.stopFor(reason);
      } catch {
        this.failed();
      }
    }
    if (inserts.length === 0 && !this.owesCr && !this.conversation?.holdsCr) return [chunk];
    const [first] = inserts;
    const simple = inserts.length === 1 && first !== undefined && first.at >= 0 && !this.owesCr;
    if (simple && chunk.length <= COPY_LIMIT && !this.conversation?.holdsCr) return [withLine(chunk, first)];
    return this.spliced(chunk, inserts);
  }

  forwarded(): void {
    try {
      this.conversation?.forwarded();
    } catch {
      this.failed();
    }
  }

  /** The model has closed its side; what is still owed to the client comes back. */
  upstreamEnded(): readonly Buffer[] {
    try {
      this.conversation?.upstreamEnded();
    } catch {
      this.failed();
    }
    const owed = this.owesCr ? [CR] : [];
    this.owesCr = false;
    return owed;
  }

  clientGone(): void {
    try {
      this.conversation?.clientGone();
    } catch {
      this.failed();
    }
  }

  get holds(): boolean {
    return this.conversation?.holds ?? false;
  }

  /** No exchange is under way, as far as we understand the connection. */
  get idle(): boolean {
    return this.conversation?.idle ?? false;
  }

  private spliced(chunk: Buffer, inserts: readonly Insert[]): readonly Buffer[] {
    const out: Buffer[] = [];
    let at = 0;
    if (this.owesCr) {
      if (inserts[0]?.at === -1) out.push(Buffer.from(inserts[0].line, 'latin1'));
      out.push(CR);
    }
    for (const insert of inserts) {
      if (insert.at < 0) continue;
      out.push(chunk.subarray(at, insert.at), Buffer.from(insert.line, 'latin1'));
      at = insert.at;
    }
    this.owesCr = this.conversation?.holdsCr ?? false;
    const end = this.owesCr ? chunk.length - 1 : chunk.length;
    if (end > at) out.push(chunk.subarray(at, end));
    return out;
  }

  private stopFor(reason: UnframedReason): void {
    const { conversation } = this;
    this.conversation = undefined;
    bump(this.parts.tally.unframed, reason);
    conversation?.stop();
  }

  private failed(): void {
    this.breaker.failed();
    try {
      this.stopFor('capture_error');
    } catch {
      // The conversation is gone already; only its count of lost exchanges could not be made.
      this.breaker.failed();
    }
  }
}

/** The common case: one whole head in one chunk, copied together once. */
function withLine(chunk: Buffer, { at, line }: Insert): Buffer {
  const out = Buffer.allocUnsafe(chunk.length + line.length);
  out.set(chunk, line.length);
  out.copyWithin(0, line.length, line.length + at);
  out.write(line, at, 'latin1');
  return out;
}
