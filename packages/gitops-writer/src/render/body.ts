/**
 * A part of a pull request's text. `render` answers the best text of at most `room` characters (as JavaScript counts
 * them), whole Markdown or nothing at all.
 */
export type Section = { readonly name: string; readonly render: (room: number) => string };

const GAP = '\n\n';

/** Hidden marker by which a pull request is known as ours. */
export const marker = (change: string): string => `<!-- fairway:change=${change} -->`;

/**
 * Sections in reading order, then the marker. When they are longer than `limit`, sections shorten in the order of
 * `givingWay` (each as far as it must, to nothing if need be), then the others from the last to the first. The marker stays.
 */
export function compose(
  sections: readonly Section[],
  givingWay: readonly string[],
  change: string,
  limit: number,
): string {
  const texts = sections.map(({ render }) => render(Number.POSITIVE_INFINITY));
  const whole = () => `${[...texts, marker(change)].filter((text) => text !== '').join(GAP)}\n`;
  for (const index of orderOf(sections, givingWay)) {
    const excess = whole().length - limit;
    if (excess <= 0) break;
    const text = texts[index] ?? '';
    const room = text.length - excess;
    const shorter = room <= 0 ? '' : (sections[index]?.render(room) ?? '');
    texts[index] = shorter.length <= room ? shorter : '';
  }
  return whole();
}

function orderOf(sections: readonly Section[], givingWay: readonly string[]): number[] {
  const named = givingWay.map((name) => sections.findIndex((section) => section.name === name));
  const others = sections.map((_, index) => sections.length - 1 - index);
  return [...new Set([...named, ...others])].filter((index) => index >= 0);
}

/** A section that is shown whole or not at all. */
export const whole = (name: string, text: string): Section => ({
  name,
  render: (room) => (text.length <= room ? text : ''),
});

/** A section with shorter and shorter forms; the first that fits is shown. */
export const either = (name: string, ...forms: ReadonlyArray<() => string>): Section => ({
  name,
  render: (room) => {
    for (const form of forms) {
      const text = form();
      if (text.length <= room) return text;
    }
    return '';
  },
});

/** `text` of the largest number up to `max` that fits the room; nothing when not even `text(0)` does. */
export function most(max: number, room: number, text: (shown: number) => string): string {
  let [low, high] = [0, max];
  if (text(max).length <= room) return text(max);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (text(middle).length <= room) low = middle;
    else high = middle - 1;
  }
  const found = text(low);
  return found.length <= room ? found : '';
}
