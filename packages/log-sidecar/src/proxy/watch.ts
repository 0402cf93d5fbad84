import type { ConnectionWatch } from '../connection-watch.ts';
import { bump } from '../tally.ts';
import { Conversation, type ConversationParts, type Insert } from './conversation.ts';
import type { Breaker } from './breaker.ts';
import type { UnframedReason } from './unframed.ts';

const CR = Buffer.from('\r');

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
    if (conversation) this.guard(() => this.stopFor(conversation.request(chunk)));
  }

  /**
   * Looks at bytes of the model and answers what the client is to get: the same bytes, with the id header in each
   * inference answer's head. Only a lone CR is ever held back, until the next byte or the end.
   */
  response(chunk: Buffer): readonly Buffer[] {
    let inserts: readonly Insert[] = [];
    const { conversation } = this;
    if (conversation) {
      this.guard(() => {
        const read = conversation.response(chunk);
        inserts = read.inserts;
        this.stopFor(read.reason);
      });
    }
    if (inserts.length === 0 && !this.owesCr && !this.conversation?.holdsCr) return [chunk];
    return this.spliced(chunk, inserts);
  }

  /** The model has closed its side; what is still owed to the client comes back. */
  upstreamEnded(): readonly Buffer[] {
    this.guard(() => this.conversation?.upstreamEnded());
    const owed = this.owesCr ? [CR] : [];
    this.owesCr = false;
    return owed;
  }

  clientGone(): void {
    this.guard(() => this.conversation?.clientGone());
  }

  /** No exchange is under way, as far as we understand the connection. */
  get idle(): boolean {
    return this.conversation?.idle ?? false;
  }

  private spliced(chunk: Buffer, inserts: readonly Insert[]): readonly Buffer[] {
    const out: Buffer[] = [];
    let at = 0;
    if (this.owesCr) {
      if (inserts[0]?.at === -1) out.push(inserts[0].line);
      out.push(CR);
    }
    for (const insert of inserts) {
      if (insert.at < 0) continue;
      out.push(chunk.subarray(at, insert.at), insert.line);
      at = insert.at;
    }
    this.owesCr = this.conversation?.holdsCr ?? false;
    const end = this.owesCr ? chunk.length - 1 : chunk.length;
    if (end > at) out.push(chunk.subarray(at, end));
    return out;
  }

  private stopFor(reason: UnframedReason | undefined): void {
    if (!reason) return;
    const { conversation } = this;
    this.conversation = undefined;
    bump(this.parts.tally.unframed, reason);
    conversation?.stop();
  }

  private guard(look: () => void): void {
    try {
      look();
    } catch {
      this.breaker.failed();
      this.giveUp();
    }
  }

  private giveUp(): void {
    try {
      this.stopFor('capture_error');
    } catch {
      // The conversation is gone already; only its count of lost exchanges could not be made.
      this.breaker.failed();
    }
  }
}
