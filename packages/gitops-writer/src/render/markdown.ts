/** A zero-width space keeps a forge from seeing a mention, a reference, a link or one of our markers in what people wrote. */
const GAP = '\u200B';

/** Control characters, lone surrogates, and what turns the reading direction of the text behind it. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;

/** Words after which GitHub, GitLab and Gitea close the issue that is named next. */
const CLOSING =
  /\b(clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|implement(?:s|ed|ing)?|reopen(?:s|ed)?)\b/gi;

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').replaceAll(UNPRINTABLE, '\uFFFD').trim();

/**
 * People's text on one line, shown by a forge as it was written: no markup, no HTML, no link or image, no mention, no
 * reference, and nothing that closes an issue. Backslashes do for GitLab; GitHub and Gitea look at the text behind the
 * markup, where only a gap helps.
 */
export const plain = (text: string): string =>
  oneLine(text)
    .replaceAll(CLOSING, `$1${GAP}`)
    .replaceAll(/@(?=\S)|[#!](?=\d)|\bGH-(?=\d)|:(?=\/\/)|\bwww(?=\.)/gi, `$&${GAP}`)
    .replaceAll(/[\\`*_{}[\]<>|~#!&$%^@]/g, String.raw`\$&`)
    .replace(/^(\d+)(?=[.)])/, '$1\\')
    .replace(/^[-+=]/, String.raw`\$&`);

/** Text to be copied, exactly as it is, outside of tables: forges look for nothing in code. */
export function code(text: string): string {
  const shown = unmarked(oneLine(text)) || '–';
  const ticks = '`'.repeat(longestRun(shown) + 1);
  const pad = /^`|`$/.test(shown) ? ' ' : '';
  return `${ticks}${pad}${shown}${pad}${ticks}`;
}

/** A fenced block; its fence is longer than any in the text. */
export function fenced(text: string, language = ''): string {
  const lines = text.replaceAll(/\r\n?/g, '\n').split('\n');
  const shown = unmarked(lines.map((line) => line.replaceAll('\t', '  ').replaceAll(UNPRINTABLE, '\uFFFD')).join('\n'));
  const fence = '`'.repeat(Math.max(3, longestRun(shown) + 1));
  return `${fence}${language}\n${shown}\n${fence}`;
}

const longestRun = (text: string): number => Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));

/** Neither begins nor ends an HTML comment, so that it cannot be taken for our marker. */
const unmarked = (text: string): string => text.replaceAll('<!--', `<${GAP}!--`).replaceAll('-->', `--${GAP}>`);

/** A quotation of several lines. */
export const quote = (text: string): string =>
  text
    .trim()
    .split(/\r\n?|\n/)
    .map((line) => `> ${plain(line)}`.trimEnd())
    .join('\n');

/** A table; cells are Markdown already. */
export function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Something that is read on demand. The summary is our own words. */
export const details = (summary: string, body: string): string =>
  `<details>\n<summary>${summary}</summary>\n\n${body}\n\n</details>`;

/** A link to a page that we know of; the text is Markdown already. */
export const link = (text: string, url: string): string =>
  /^https?:\/\//.test(url) ? `[${text}](${url.replaceAll(/[()<>\s\\]/g, percent)})` : text;

const percent = (char: string): string => `%${(char.codePointAt(0) ?? 0).toString(16).padStart(2, '0').slice(-2)}`;

/** The first `length` characters; never half of one. */
export const head = (text: string, length: number): string => {
  const cut = text.slice(0, Math.max(0, length));
  return /[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut;
};

/** A figure with four digits, or a dash where it cannot be known. */
export const figure = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : value.toFixed(4);

/** A difference with its sign. */
export const difference = (value: number): string => `${value < 0 ? '−' : '+'}${figure(Math.abs(value))}`;

export const count = (value: number): string => value.toLocaleString('en-US');

/** `1 file`, `2 files` */
export const counted = (value: number, word: string): string => `${count(value)} ${word}${value === 1 ? '' : 's'}`;

/** `2026-11-22 08:30 UTC` */
export const moment = (time: string): string => plain(`${time.slice(0, 16).replace('T', ' ')} UTC`);

/** First twelve digits of a digest, enough for eyes. */
export const short = (digest: string): string => digest.replace(/^sha256:/, '').slice(0, 12);
