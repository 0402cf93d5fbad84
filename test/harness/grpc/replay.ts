import type { HopLoss, RawExchange, SeenExchange } from '../../../packages/log-sidecar/src/ports.ts';
import { createTally, type Tally } from '../../../packages/log-sidecar/src/tally.ts';
import { GrpcWatch } from '../../../packages/log-sidecar/src/grpc/watch.ts';
import type { Step } from './conversation.ts';

export type Replay = {
  readonly exchanges: RawExchange[];
  readonly missed: number;
  /** Those of them for which there was no room. */
  readonly shed: number;
  readonly tally: Tally;
  readonly idle: boolean;
};

/** Everything that one connection tells capture. Throws when bytes change on their way, or stay held at the end. */
export function replay(steps: readonly Step[], bodyCap = 1e6, hasRoom = (_length: number): boolean => true): Replay {
  const tally = createTally();
  const exchanges: RawExchange[] = [];
  let [ids, missed, shed] = [0, 0, 0];
  const capture = {
    nextId: () => `id-${++ids}`,
    // As the real one: what is not copied now is gone.
    completed: (seen: SeenExchange) =>
      void exchanges.push({ ...seen, request: bodyOf(seen.request), response: bodyOf(seen.response) }),
    missed: (reason: HopLoss) => {
      missed++;
      if (reason === 'ring_full') shed++;
    },
    hasRoom,
  };
  const budget = { held: 0, cap: 1e9 };
  const parts = { capture, clock: { now: () => 0, monotonic: () => 0 }, tally, budget, bodyCap, model: 'pod' };
  const fuse = {
    failed: () => {
      throw new Error('an exception in capture');
    },
    open: false,
  };
  const watch = new GrpcWatch(parts, fuse);
  for (const { side, bytes } of steps) {
    const before = Buffer.from(bytes);
    const out = side === 'q' ? [bytes] : watch.response(bytes);
    if (side === 'q') watch.request(bytes);
    else watch.forwarded();
    if (out.length !== 1 || out[0] !== bytes || !before.equals(bytes)) throw new Error('other bytes came out');
  }
  const { idle } = watch;
  if (watch.upstreamEnded().length > 0) throw new Error('bytes were held back');
  watch.clientGone();
  if (budget.held !== 0) throw new Error(`${budget.held} bytes are still held`);
  return { exchanges, missed, shed, tally, idle };
}

/** A step in pieces of so many bytes. */
export const pieces = ({ side, bytes }: Step, size: number): Step[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => ({
    side,
    bytes: bytes.subarray(i * size, (i + 1) * size),
  }));

/** As one text: thousands of them are compared. */
export const written = (exchanges: readonly RawExchange[]): string =>
  exchanges
    .map(({ request, response, ...rest }) =>
      [JSON.stringify(rest), bodyOf(request).toString('latin1'), bodyOf(response).toString('latin1')].join('|'),
    )
    .join('||');

/** A body in one piece. */
export const bodyOf = (body: SeenExchange['request']): Buffer => Buffer.concat([body].flat());
