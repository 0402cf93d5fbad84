/** Looks on at the bytes of one connection. Nothing that it does may throw, and bytes that it does not understand pass untouched. */
export type ConnectionWatch = {
  /** Bytes of the client that are already on their way. */
  request(chunk: Buffer): void;
  /** Bytes of the model; answers what the client is to get for them. */
  response(chunk: Buffer): readonly Buffer[];
  /** What `response` answered is on its way to the client: what took time could wait until now. */
  forwarded?(): void;
  /** The model has closed its side; what is still owed to the client comes back. */
  upstreamEnded(): readonly Buffer[];
  clientGone(): void;
  /** It may still need chunks that it was shown. Absent: it always may. */
  readonly holds?: boolean;
  /** No exchange is under way, as far as the connection is understood. */
  readonly idle: boolean;
};
