import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TeamsMessage } from '@fairway/core';

/** Where a browser may be; undefined: there is none, and pictures cannot be made. */
export const browser = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);

type Element = TeamsMessage['attachments'][0]['content']['body'][number];

const FILL: Record<string, string> = {
  emphasis: '#f0f0f0',
  good: '#e7f2da',
  warning: '#fbf0d9',
  attention: '#f9dfe0',
  accent: '#e5e9fa',
};

/** The elements that our cards use, as Teams lays them out on a light theme: enough to see what is cut, ugly or unreadable. */
export function cardHtml(message: TeamsMessage): string {
  const { body, actions = [] } = message.attachments[0].content;
  const buttons = actions.map(({ title }) => `<span class="button">${text(title)}</span>`).join('');
  return `<!doctype html><meta charset="utf-8"><style>
body{margin:0;padding:16px;background:#f5f5f5;font:14px/1.4 "Segoe UI",Helvetica,Arial,sans-serif;color:#242424}
.card{background:#fff;border-radius:6px;width:560px;padding:12px 16px;box-shadow:0 1px 4px #0003;overflow:hidden}
.box{margin:-12px -16px 10px;padding:10px 16px}.large{font-size:18px;font-weight:600}p{margin:0 0 8px;overflow-wrap:anywhere}
table{border-spacing:0;margin:4px 0 10px;width:100%}td{vertical-align:top;padding:1px 0;overflow-wrap:anywhere}td:first-child{font-weight:600;padding-right:14px;white-space:nowrap;max-width:200px;overflow:hidden;text-overflow:ellipsis}
.button{border:1px solid #c7c7c7;border-radius:4px;padding:5px 14px;margin-right:8px;font-weight:600;display:inline-block}</style>
<div class="card">${body.map(element).join('')}${buttons}</div>`;
}

function element(one: Element): string {
  if (one.type === 'TextBlock') return `<p class="${one.size ?? ''}">${text(one.text)}</p>`;
  if (one.type === 'FactSet') {
    return `<table>${one.facts.map(({ title, value }) => `<tr><td>${text(title)}</td><td>${text(value)}</td></tr>`).join('')}</table>`;
  }
  return `<div class="box" style="background:${FILL[one.style] ?? '#fff'}">${one.items.map(element).join('')}</div>`;
}

/** Markdown escapes are what Teams takes away; what it would format is shown as written. */
const text = (markdown: string): string =>
  markdown
    .replaceAll(/\\([\\`*_[\]<~\-+#>.)])/g, '$1')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;');

/** Draws a page into `dir/name.png` and answers its path. */
export async function picture(html: string, dir: string, name: string, height: number): Promise<string> {
  if (browser === undefined) throw new Error('there is no browser');
  const [page, file] = [join(dir, `${name}.html`), join(dir, `${name}.png`)];
  await writeFile(page, html);
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', `--user-data-dir=${dir}/profile`];
  const child = spawn(
    browser,
    [...flags, `--window-size=1320,${height}`, `--screenshot=${file}`, pathToFileURL(page).href],
    { stdio: 'ignore' },
  );
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  if (code !== 0 || !existsSync(file)) throw new Error(`the browser ended with ${code} and drew nothing`);
  return file;
}
