/** Text that a forge shows as written: Markdown and HTML specials escaped, on one line. */
export const plain = (text: string): string =>
  text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(/[\\`*_[\]<>|~#]/g, String.raw`\$&`);

/** A quotation of several lines. */
export const quote = (text: string): string =>
  text
    .trim()
    .split(/\r?\n/)
    .map((line) => `> ${plain(line)}`.trimEnd())
    .join('\n');

/** A table; cells are Markdown already. */
export function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** A figure with four digits, or a dash where it cannot be known. */
export const figure = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : value.toFixed(4);

export const count = (value: number): string => value.toLocaleString('en-US');

/** `2026-11-22 08:30 UTC` */
export const moment = (time: string): string => plain(`${time.slice(0, 16).replace('T', ' ')} UTC`);

/** First twelve digits of a digest, enough for eyes. */
export const short = (digest: string): string => digest.replace(/^sha256:/, '').slice(0, 12);
