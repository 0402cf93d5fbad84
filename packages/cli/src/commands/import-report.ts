import { iso } from '@fairway/core';
import { bar, screen } from '../demo/screen.ts';
import type { Checked, OnProgress, Refusals } from './import-check.ts';
import type { EpochAccount, LabelCounts } from './import-send.ts';
import { printable } from './printable.ts';

const count = (n: number) => n.toLocaleString('en');

/** A bar on a terminal; else a line for each tenth. An empty `what` takes the bar away. */
export function progressOn(out: NodeJS.WriteStream, env: NodeJS.ProcessEnv): OnProgress {
  const moving = screen(out, env);
  let shown = '';
  return (what, done, total) => {
    const percent = total === 0 ? 100 : Math.floor((done / total) * 100);
    const step = out.isTTY ? percent : Math.floor(percent / 10) * 10;
    const text = `${what} ${step}`;
    if (text === shown) return;
    shown = text;
    if (out.isTTY) moving.now(what === '' ? '' : `${printable(what)} ${bar(done, total)}`);
    else if (what !== '') out.write(`${printable(what)}: ${step} %\n`);
  };
}

/** What a first reading found, in lines. */
export function foundLines({ history, ignored, refused, refusedLabels, labels, earliest, latest }: Checked): string[] {
  const { source, rows, mapping } = history;
  const unused = ignored.map((name) => JSON.stringify(name)).join(', ');
  const what = `${count(rows + refused.count)} rows read, ${count(rows)} usable, ${count(refused.count)} refused`;
  return [
    `${source.file}: ${what}`,
    ...refusedLines(refused),
    ...(rows === 0 ? [] : [`  time    ${iso(earliest)} to ${iso(latest)}`]),
    ...(mapping.label === undefined
      ? []
      : [`  labels  ${count(labels)} usable, ${count(refusedLabels.count)} refused, other rows have none`]),
    ...refusedLines(refusedLabels),
    ...(ignored.length === 0 ? [] : [`  Columns that the model does not take were ignored: ${unused}.`]),
  ].map(printable);
}

function refusedLines({ lines, count: all }: Refusals): string[] {
  const more = all - lines.length;
  return [
    ...lines.map(({ line, reason }) => `  line ${line}: ${reason}`),
    ...(more > 0 ? [`  and ${count(more)} more`] : []),
  ];
}

type Sent = { readonly before: EpochAccount; readonly after: EpochAccount & { readonly sent: number } };

/** What became of a file, in lines. */
export function sentLines({ before, after }: Sent, labels: LabelCounts | undefined): string[] {
  const again = before.stored === 0 ? '' : `, ${count(before.stored)} of them by an earlier import`;
  const lines = [
    `  sent    ${count(after.sent)} predictions in ${count(after.packs)} packs`,
    `  stored  ${count(after.stored)}${again}`,
  ];
  if (labels === undefined) return lines;
  const { joined, unchanged, corrected, early, refused, reason } = labels;
  const parts = [`${count(joined)} joined`, `${count(unchanged)} known already`, `${count(corrected)} corrected`];
  if (early > 0) parts.push(`${count(early)} kept for predictions to come`);
  if (refused > 0) parts.push(`${count(refused)} refused, the first because ${printable(reason ?? 'of no reason')}`);
  return [...lines, `  labels  ${parts.join(', ')}`];
}
