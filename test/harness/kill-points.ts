/** Where the writer may be killed: `<port>.<method>[ detail] before|after[, time N]`. */
export type Point = string;

/** Methods that change something somewhere, by the part of the world they belong to. What only reads is no boundary: dying there is dying at the last one. */
const EFFECTS: Readonly<Record<string, readonly string[]>> = {
  intake: ['acceptApproval', 'acceptRequest', 'reject', 'withdraw'],
  queue: ['wake', 'add'],
  claim: ['settle'],
  repository: ['commit', 'push'],
  forge: ['open', 'edit', 'comment', 'setStatus', 'merge'],
  images: ['build'],
  cluster: ['refresh'],
  notifier: ['send'],
};

/** How often these are reached is not the story's to say: who asks asks again, and a change looks as often as it has to wait. */
const UNCOUNTED = /^(intake|queue|cluster)\.|^claim\.settle \S+ (waiting|retry) /;

type Call = (...args: unknown[]) => unknown;

/**
 * Wraps a part of the world so that `reached` hears of each boundary, in order: before the call and, once it has an answer,
 * after it. `about`: what the part belongs to. Errors pass through.
 */
export function watched<T extends object>(
  part: string,
  target: T,
  reached: (point: Point) => void,
  about: readonly string[] = [],
): T {
  const effects = EFFECTS[part] ?? [];
  return new Proxy(target, {
    get: (object, key, receiver) => {
      const value: unknown = Reflect.get(object, key, receiver);
      if (typeof value !== 'function' || !effects.includes(String(key))) return value;
      return async (...args: unknown[]) => {
        const name = [`${part}.${String(key)}`, ...about, ...detail(args)].join(' ');
        reached(`${name} before`);
        const answer: unknown = await (value as Call).apply(object, args);
        reached(`${name} after`);
        return answer;
      };
    },
  });
}

/** Tells the second time that a boundary is reached from the first, where the story decides how often that is. */
export function ordinals() {
  const times = new Map<Point, number>();
  return {
    numbered: (point: Point): Point => {
      if (UNCOUNTED.test(point)) return point;
      const time = (times.get(point) ?? 0) + 1;
      times.set(point, time);
      return time === 1 ? point : `${point}, time ${time}`;
    },
    anew: () => times.clear(),
  };
}

/** What tells calls of one method apart: the outcome that is settled, the status that is set, what is done to the branch or pull request. */
function detail([first, second, third]: readonly unknown[]): string[] {
  if (typeof first === 'object' && first !== null && 'kind' in first) {
    const outcome = first as { kind: string; transition?: { phase: string } };
    return [outcome.transition?.phase ?? outcome.kind];
  }
  if (typeof second === 'object' && second !== null && 'context' in second) {
    const status = second as { context: string; state: string };
    return [status.context, status.state];
  }
  if (typeof first === 'number' && typeof second === 'object' && second !== null)
    return [Object.keys(second).join('+')];
  if (typeof first !== 'string' || !first.startsWith('fairway/')) return [];
  if (second === undefined) return ['delete'];
  return [third === undefined ? 'create' : 'update'];
}
