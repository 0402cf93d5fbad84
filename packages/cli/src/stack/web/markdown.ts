import { escapeHtml, type Html, trusted } from './html.ts';

/**
 * The Markdown that pull requests of Fairway use, as safe HTML: headings, lists, tables, fenced code, quotes, rules, `<details>`, paragraphs; inline
 * code, bold, italics, links. Other HTML in the text is shown as text, HTML comments (our hidden markers) are left out. Not CommonMark.
 */
export function markdown(text: string): Html {
  const lines = text
    .replaceAll('\r\n', '\n')
    .replaceAll(/<!--[\s\S]*?-->/g, '')
    .split('\n');
  const out: string[] = [];
  while (lines.length > 0) out.push(block(lines));
  return trusted(out.join('\n'));
}

type Lines = string[];
const take = (lines: Lines, fits: (line: string) => boolean): string[] => {
  const end = lines.findIndex((line) => !fits(line));
  return lines.splice(0, end < 0 ? lines.length : end);
};

const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const ITEM = /^(\s*)(?:[-*+]|(\d+)[.)])\s+(.*)$/;
const FENCE = /^\s*(```+|~~~+)\s*(\S*)/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/** Takes one block off the front. */
function block(lines: Lines): string {
  const [first = '', second = ''] = lines;
  const [, fence, language] = FENCE.exec(first) ?? [];
  if (fence !== undefined) return code(lines, fence, language);
  if (first.trim() === '') {
    lines.shift();
    return '';
  }
  const heading = HEADING.exec(first);
  if (heading) {
    lines.shift();
    // One level down: the page's own title is the first.
    const level = Math.min(6, (heading[1] ?? '').length + 1);
    return `<h${level}>${inline(heading[2] ?? '')}</h${level}>`;
  }
  if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(first)) {
    lines.shift();
    return '<hr>';
  }
  if (first.includes('|') && second.includes('|') && TABLE_RULE.test(second)) return table(lines);
  if (ITEM.test(first)) return list(lines);
  const disclosed = first === '<details>' ? disclosure(lines) : undefined;
  if (disclosed !== undefined) return disclosed;
  if (first.startsWith('>')) {
    const quoted = take(lines, (line) => line.startsWith('>')).map((line) => line.replace(/^>\s?/, ''));
    return `<blockquote>${markdown(quoted.join('\n')).html}</blockquote>`;
  }
  return `<p>${paragraph(lines).map(inline).join('<br>')}</p>`;
}

/** Lines up to the next empty line or other block. The first always belongs, so that every block takes at least one. */
function paragraph(lines: Lines): string[] {
  const first = lines.splice(0, 1);
  const starts = (line: string) =>
    line.trim() === '' ||
    line.startsWith('>') ||
    line === '<details>' ||
    [HEADING, ITEM, FENCE].some((r) => r.test(line));
  return [...first, ...take(lines, (line) => !starts(line))];
}

function code(lines: Lines, fence: string, language: string | undefined): string {
  lines.shift();
  const body = take(lines, (line) => !line.trim().startsWith(fence));
  lines.shift();
  const shown = language === 'diff' ? body.map(diffLine).join('\n') : escapeHtml(body.join('\n'));
  return `<pre><code>${shown}</code></pre>`;
}

const DIFF_SIGNS: Readonly<Record<string, string>> = { '+': 'add', '-': 'del', '@': 'hunk' };

function diffLine(line: string): string {
  const kind = /^(---|\+\+\+) /.test(line) ? 'hunk' : DIFF_SIGNS[line.charAt(0)];
  return kind === undefined ? escapeHtml(line) : `<span class="${kind}">${escapeHtml(line)}</span>`;
}

/** Takes a `<details>` with its one-line summary off the front, up to its own end; undefined when it is no whole one. */
function disclosure(lines: Lines): string | undefined {
  const summary = /^<summary>([^<>]*)<\/summary>$/.exec(lines[1] ?? '')?.[1];
  const end = endOfDetails(lines);
  if (summary === undefined || end === undefined) return undefined;
  const inner = lines.splice(0, end + 1).slice(2, -1);
  return `<details><summary>${escapeHtml(summary)}</summary>${markdown(inner.join('\n')).html}</details>`;
}

function endOfDetails(lines: Lines): number | undefined {
  let depth = 0;
  let fence: string | undefined;
  for (const [index, line] of lines.entries()) {
    const mark = FENCE.exec(line)?.[1];
    if (fence !== undefined) fence = line.trim().startsWith(fence) ? undefined : fence;
    else if (mark !== undefined) fence = mark;
    else if (line === '<details>') depth += 1;
    else if (line === '</details>' && --depth === 0) return index;
  }
  return undefined;
}

function table(lines: Lines): string {
  const [head = '', rule = '', ...rows] = take(lines, (line) => line.includes('|'));
  const right = cells(rule).map((cell) => cell.endsWith(':'));
  const row = (line: string, tag: 'th' | 'td') =>
    `<tr>${cells(line)
      .map((cell, i) => `<${tag}${right[i] ? ' class="right"' : ''}>${inline(cell)}</${tag}>`)
      .join('')}</tr>`;
  const body = rows.map((line) => row(line, 'td')).join('');
  return `<div class="scroll"><table><thead>${row(head, 'th')}</thead><tbody>${body}</tbody></table></div>`;
}

const cells = (line: string): string[] =>
  line
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));

/** A list with what is indented below its items; deeper items become lists of their own. */
function list(lines: Lines): string {
  const [, indent = '', number] = ITEM.exec(lines[0] ?? '') ?? [];
  const items: string[] = [];
  while (lines.length > 0) {
    const item = ITEM.exec(lines[0] ?? '');
    if (!item || (item[1] ?? '').length < indent.length || (item[2] === undefined) !== (number === undefined)) break;
    lines.shift();
    const below = take(lines, (line) => line.startsWith(`${indent}  `));
    const inner = below.map((line) => line.slice(indent.length + 2));
    const nested = inner.length === 0 ? '' : markdown(inner.join('\n')).html;
    items.push(`<li>${checkbox(item[3] ?? '')}${nested}</li>`);
  }
  const tag = number === undefined ? 'ul' : 'ol';
  return `<${tag}>${items.join('')}</${tag}>`;
}

function checkbox(text: string): string {
  const [, mark, rest] = /^\[([ xX])\]\s+(.*)$/.exec(text) ?? [];
  if (mark === undefined) return inline(text);
  return `<span aria-hidden="true">${mark === ' ' ? '☐' : '☑'}</span> ${inline(rest ?? '')}`;
}

/** Stands for something set aside; a private-use character that is taken out of the text before. */
const MARK = '\uE000';

/** One paragraph's inline marks as safe HTML; line feeds become line breaks. */
export const inlineMarkdown = (text: string): Html => trusted(text.split('\n').map(inline).join('<br>'));

/** Markdown's backslash escapes taken away: the text as a reader sees it. */
export const unescapeMarkdown = (text: string): string => text.replaceAll(ESCAPE, '$1');

/** CommonMark: any ASCII punctuation. */
const ESCAPE = /\\([!-/:-@[-`{-~])/g;

/** In one look: an escaped backtick opens no code, and a backslash in code is one. */
const ESCAPE_OR_CODE = /\\([!-/:-@[-`{-~])|(`+)(?!`)(.+?)(?<!`)\2(?!`)/g;

/** Inline marks. Code spans and links are set aside first, so that nothing inside them is read as a mark. */
function inline(text: string): string {
  const aside: string[] = [];
  const keep = (markup: string) => `${MARK}${aside.push(markup) - 1}${MARK}`;
  const marked = text
    .replaceAll(MARK, '')
    .replaceAll(ESCAPE_OR_CODE, (_, char: string | undefined, __, body: string) =>
      keep(char === undefined ? `<code>${escapeHtml(body.trim())}</code>` : escapeHtml(char)),
    )
    .replaceAll(/\[([^\]]+)\]\(([^()\s]+(?:\([^()\s]*\))?)\)/g, (whole, label: string, url: string) => {
      const to = safeUrl(url);
      return to === undefined
        ? whole
        : `${keep(`<a href="${escapeHtml(to)}" rel="nofollow noopener">`)}${label}${keep('</a>')}`;
    })
    .replaceAll(/<(https?:\/\/[^\s<>]+)>|\bhttps?:\/\/[^\s<>)\]]*[^\s<>)\].,;:!?'"]/g, (whole, pointed?: string) => {
      const url = escapeHtml(pointed ?? whole);
      return keep(`<a href="${url}" rel="nofollow noopener">${url}</a>`);
    });
  return escapeHtml(marked)
    .replaceAll(/\*\*(?=\S)(.+?)(?<=\S)\*\*/g, '<strong>$1</strong>')
    .replaceAll(/(?<![\w*])[*](?=[^\s*])(.+?)(?<=[^\s*])[*](?![\w*])/g, '<em>$1</em>')
    .replaceAll(/(?<!\w)_(?=\S)(.+?)(?<=\S)_(?!\w)/g, '<em>$1</em>')
    .replaceAll(new RegExp(`${MARK}(\\d+)${MARK}`, 'g'), (_, i: string) => aside[Number(i)] ?? '');
}

/** http(s), mail and links inside the site; anything else (`javascript:` …) is no link. */
function safeUrl(url: string): string | undefined {
  return /^(https?:\/\/|mailto:|\/(?!\/)|#)/i.test(url) ? url : undefined;
}
