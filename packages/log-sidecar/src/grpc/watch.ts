import type { ConnectionWatch } from '../connection-watch.ts';
import { bump } from '../tally.ts';
import type { GrpcParts } from './call.ts';
import { GrpcConnection } from './connection.ts';
import type { UnframedReason } from './unframed.ts';

/** Switches capture off for a while when its code throws too often. */
export type Fuse = { failed(): void; readonly open: boolean };

/**
 * The guard between the bytes of a gRPC connection and what looks at them: no exception of capture gets past it, and after
 * one (or after bytes nobody understands) the connection goes on without capture. The bytes are the same in any case.
 */
export class GrpcWatch implements ConnectionWatch {
  private readonly parts: GrpcParts;
  private readonly fuse: Fuse;
  private connection: GrpcConnection | undefined;
  /** Bytes of the model that are not looked at yet. */
  private answer: Buffer | undefined;

  constructor(parts: GrpcParts, fuse: Fuse) {
    this.parts = parts;
    this.fuse = fuse;
    if (fuse.open) bump(parts.tally.unframed, 'capture_off');
    else this.connection = new GrpcConnection(parts);
  }

  request(chunk: Buffer): void {
    this.look((connection) => connection.request(chunk));
  }

  response(chunk: Buffer): readonly Buffer[] {
    this.forwarded();
    this.answer = chunk;
    return [chunk];
  }

  /** Nothing goes into answers, so they leave before anyone looks at them. */
  forwarded(): void {
    const { answer } = this;
    this.answer = undefined;
    if (answer) this.look((connection) => connection.answer(answer));
  }

  upstreamEnded(): readonly Buffer[] {
    this.forwarded();
    this.look((connection) => connection.ended('upstream_aborted'));
    return [];
  }

  clientGone(): void {
    this.forwarded();
    this.look((connection) => connection.ended('client_aborted'));
  }

  /** No call is under way, as far as we understand the connection. */
  get idle(): boolean {
    return this.connection?.idle ?? false;
  }

  private look(at: (connection: GrpcConnection) => UnframedReason | void): void {
    const { connection } = this;
    if (!connection) return;
    let reason: UnframedReason | void;
    try {
      reason = at(connection);
      if (!reason) return;
    } catch {
      this.fuse.failed();
      reason = 'capture_error';
    }
    this.connection = undefined;
    bump(this.parts.tally.unframed, reason);
    try {
      connection.stop();
    } catch {
      // Only its count of lost calls could not be made.
      this.fuse.failed();
    }
  }
}
