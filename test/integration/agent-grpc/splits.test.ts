import { expect, test } from 'vitest';
import { type Conversation, record, type Step } from '../../harness/grpc/conversation.ts';
import { replay, written } from '../../harness/grpc/replay.ts';
import { SCRIPTS } from '../../harness/grpc/scripts.ts';

/** The steps with one of them in two parts, at every place; of long conversations only with neighbours as one. */
function* cuts({ steps }: Conversation): Generator<Step[]> {
  for (const side of ['q', 'a'] as const) yield [merged(steps, side)].flat();
  if (steps.reduce((sum, { bytes }) => sum + bytes.length, 0) > 2000) return;
  for (const [i, step] of steps.entries()) {
    for (let at = 1; at < step.bytes.length; at++) {
      const halves = [step.bytes.subarray(0, at), step.bytes.subarray(at)].map((bytes) => ({ side: step.side, bytes }));
      yield [...steps.slice(0, i), ...halves, ...steps.slice(i + 1)];
    }
  }
}

/** Neighbours of one side as one chunk. */
function merged(steps: readonly Step[], side: Step['side']): Step[] {
  const out: Step[] = [];
  for (const step of steps) {
    const last = out.at(-1);
    if (last?.side === side && step.side === side) {
      out[out.length - 1] = { side, bytes: Buffer.concat([last.bytes, step.bytes]) };
    } else out.push(step);
  }
  return out;
}

test.each(Object.entries(SCRIPTS))('%s comes out the same wherever it is cut', async (_, script) => {
  const conversation = await record(script);
  const wanted = written(replay(conversation.steps).exchanges);
  for (const steps of cuts(conversation)) if (written(replay(steps).exchanges) !== wanted) expect(steps).toEqual([]);
});
