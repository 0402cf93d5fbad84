import { html, type Html } from '../../web/html.ts';

type DiffLine = {
  readonly kind: 'add' | 'del' | 'hunk' | 'same';
  readonly old?: number;
  readonly new?: number;
  readonly text: string;
};
export type DiffFile = { readonly path: string; readonly note: string; readonly lines: readonly DiffLine[] };

/** A unified diff of `git diff` as files and numbered lines. */
export function parseDiff(text: string): DiffFile[] {
  return text
    .split(/^(?=diff --git )/m)
    .filter((part) => part.startsWith('diff --git '))
    .map(parseFile);
}

function parseFile(text: string): DiffFile {
  const all = text.replace(/\n$/, '').split('\n');
  const start = all.findIndex((line) => line.startsWith('@@'));
  const head = start < 0 ? all : all.slice(0, start);
  const named = (prefix: string) => head.find((line) => line.startsWith(prefix))?.slice(prefix.length);
  const [, fallback = ''] = / b\/(.*)$/.exec(head[0] ?? '') ?? [];
  const path =
    [named('+++ b/'), named('rename to '), named('--- a/'), fallback].find((name) => name !== undefined) ?? fallback;
  const notes = [
    head.some((line) => line.startsWith('new file')) && 'new',
    head.some((line) => line.startsWith('deleted file')) && 'deleted',
    named('rename from ') !== undefined && `renamed from ${named('rename from ')}`,
    head.some((line) => line.startsWith('Binary files')) && 'binary',
  ];
  return { path, note: notes.filter(Boolean).join(', '), lines: start < 0 ? [] : numbered(all.slice(start)) };
}

function numbered(lines: readonly string[]): DiffLine[] {
  let [before, after] = [0, 0];
  return lines.map((line): DiffLine => {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)/.exec(line);
    if (hunk) {
      [before, after] = [Number(hunk[1]), Number(hunk[2])];
      return { kind: 'hunk', text: line };
    }
    const text = line.slice(1);
    if (line.startsWith('+')) return { kind: 'add', new: after++, text };
    if (line.startsWith('-')) return { kind: 'del', old: before++, text };
    if (line.startsWith('\\')) return { kind: 'hunk', text: line };
    return { kind: 'same', old: before++, new: after++, text };
  });
}

/** Lines of one file that are shown; the rest is counted and reached by the raw diff. */
const MAX_LINES = 600;
/** Files longer than this start folded. */
const OPEN_LINES = 160;

/** The coloured diff, one foldable part per file. */
export function diffView(files: readonly DiffFile[], rawUrl: string): Html {
  if (files.length === 0) return html`<p class="quiet">No changes.</p>`;
  return html`${files.map((file) => fileView(file, rawUrl))}`;
}

function fileView({ path, note, lines }: DiffFile, rawUrl: string): Html {
  const count = (kind: DiffLine['kind']) => lines.filter((line) => line.kind === kind).length;
  const rest = lines.length - MAX_LINES;
  const open = lines.length <= OPEN_LINES ? ' open' : '';
  return html`<details class="file"${{ html: open }}><summary><code>${path}</code>${note !== '' && html` <span class="tag">${note}</span>`}
<span class="counts"><span class="plus">+${count('add')}</span> <span class="minus">−${count('del')}</span></span></summary>
<div class="scroll"><table class="diff">${lines.slice(0, MAX_LINES).map(lineView)}</table></div>
${rest > 0 && html`<p class="quiet pad">${rest} more lines in <a href="${rawUrl}">the whole diff</a>.</p>`}</details>`;
}

const SIGN = { add: '+', del: '-', hunk: '', same: ' ' } as const;

const lineView = (line: DiffLine): Html =>
  line.kind === 'hunk'
    ? html`<tr class="hunk"><td colspan="2"></td><td>${line.text}</td></tr>`
    : html`<tr class="${line.kind}"><td class="no">${line.old}</td><td class="no">${line.new}</td><td><span class="sign">${SIGN[line.kind]}</span>${line.text}</td></tr>`;
