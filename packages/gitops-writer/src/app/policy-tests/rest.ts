/** Left alone for `left` of `of` looks. */
export type Rest = { readonly of: number; readonly left: number };

export const NO_REST: Rest = { of: 0, left: 0 };

/** Doubled each time, up to `most` looks: what comes late is seen at most twice as late. */
export function longer({ of }: Rest, most: number): Rest {
  const looks = Math.min(2 * of + 1, most);
  return { of: looks, left: looks };
}
