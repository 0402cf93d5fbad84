/** Runs at most `limit` works at once, the others in the order they came. */
export function slots(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = limit;
  const waiting: Array<() => void> = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The place goes to who waits longest, or back.
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
