/** Where the writer may be killed: `<port>.<method>[ detail] before|after`. */
export type Point = string;

/** Methods that change something somewhere, by the part of the world they belong to. What only reads is no boundary: dying there is dying at the last one. */
const EFFECTS: Readonly<Record<string, readonly string[]>> = {
  intake: ['acceptApproval', 'acceptRequest'],
  queue: ['wake', 'add'],
  claim: ['settle'],
  repository: ['commit', 'push'],
  forge: ['open', 'edit', 'comment', 'setStatus', 'merge'],
  images: ['build'],
  cluster: ['refresh'],
  notifier: ['send'],
};

type Call = (...args: unknown[]) => unknown;

/**
 * Wraps a part of the world so that `reached` hears of each boundary, in order: before the call and, once it has an answer,
 * after it. Errors pass through.
 */
export function watched<T extends object>(part: string, target: T, reached: (point: Point) => void): T {
  const effects = EFFECTS[part] ?? [];
  return new Proxy(target, {
    get: (object, key, receiver) => {
      const value: unknown = Reflect.get(object, key, receiver);
      if (typeof value !== 'function' || !effects.includes(String(key))) return value;
      return async (...args: unknown[]) => {
        const name = `${part}.${String(key)}${detail(args)}`;
        reached(`${name} before`);
        const answer: unknown = await (value as Call).apply(object, args);
        reached(`${name} after`);
        return answer;
      };
    },
  });
}

/** What tells calls of one method apart: the outcome that is settled, the status that is set, the ref that is deleted. */
function detail([first, second]: readonly unknown[]): string {
  if (typeof first === 'object' && first !== null && 'kind' in first) {
    const outcome = first as { kind: string; transition?: { phase: string } };
    return ` ${outcome.transition?.phase ?? outcome.kind}`;
  }
  if (typeof second === 'object' && second !== null && 'context' in second) {
    const status = second as { context: string; state: string };
    return ` ${status.context} ${status.state}`;
  }
  return typeof first === 'string' && first.startsWith('fairway/')
    ? second === undefined
      ? ' delete'
      : ' create'
    : '';
}
