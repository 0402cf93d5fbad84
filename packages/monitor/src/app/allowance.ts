/** Lets something dear be done `most` times at first, and then once for each `calls` calls: asked at each, `take` answers whether. */
export function allowance(most: number, calls: number): { tick(): void; take(): boolean } {
  let credit = most * calls;
  return {
    tick: () => {
      if (credit < most * calls) credit += 1;
    },
    take: () => {
      const may = credit >= calls;
      if (may) credit -= calls;
      return may;
    },
  };
}
