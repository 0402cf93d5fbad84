import {
  DEFAULT_SIGNATURE,
  type GraphReport,
  type SavedModelReport,
  servingGraph,
  type SignatureReport,
} from '@fairway/savedmodel';
import type { Against } from './inspect.ts';
import { printable } from './printable.ts';
import { table } from './table.ts';

/** Longer lists are for `--json`. */
const SHOWN = 40;
const SIGNATURES = 8;
const WIDTH = 96;

/** A report for people: what it is, how it is asked, what it is made of, and at the end whether it can be served. */
export function reportText(path: string, report: SavedModelReport, against: Against | undefined): string {
  const graph = servingGraph(report);
  return [
    `SavedModel in ${path}\n\n${facts(report, graph)}`,
    ...(graph === undefined ? [] : signatures(graph)),
    ...(graph === undefined ? [] : [parts(report, graph)]),
    ...(report.remarks.length === 0 ? [] : [list('!', report.remarks)]),
    verdict(report),
    ...(against === undefined ? [] : [fit(against)]),
  ]
    .map((part) => part.split('\n').map(printable).join('\n'))
    .join('\n\n');
}

const lines = (rows: ReadonlyArray<readonly [string, string | undefined]>): string =>
  rows.flatMap(([name, text]) => (text === undefined ? [] : [`  ${name.padEnd(11)}${wrap(text, 13)}`])).join('\n');

function facts(report: SavedModelReport, graph: GraphReport | undefined): string {
  const { digest, bytes, files, keras, graphs } = report;
  const others = graphs.length - (graph === undefined ? 0 : 1);
  const writer = [
    graph?.tensorflow === undefined ? undefined : `TensorFlow ${graph.tensorflow}`,
    keras === undefined ? undefined : `Keras ${keras}`,
  ].filter((one) => one !== undefined);
  return lines([
    ['digest', digest],
    ['size', `${size(bytes)} in ${count(files.length, 'file')}`],
    ['written by', writer.length === 0 ? undefined : writer.join(', ')],
    [
      'graph',
      graph && `${count(graph.nodes, 'node')}, ${count(graph.functions, 'function')}, tagged ${graph.tags.join(', ')}`,
    ],
    ['besides', others === 0 ? undefined : `${count(others, 'graph')} that TensorFlow Serving does not load`],
  ]);
}

/** The default one first; those without tensors of their own (start-up and training hooks) are named among the parts. */
function signatures({ signatures: all, features }: GraphReport): string[] {
  const shown = all.filter(({ kind }) => kind !== 'init' && kind !== 'train');
  const sorted = [...shown].sort((a, b) => Number(b.name === DEFAULT_SIGNATURE) - Number(a.name === DEFAULT_SIGNATURE));
  const texts = sorted.slice(0, SIGNATURES).map(signatureText);
  if (sorted.length > SIGNATURES) texts.push(`and ${sorted.length - SIGNATURES} more signatures (--json has them)`);
  if (features.length > 0) texts.push(featuresText(features));
  return texts;
}

function signatureText({ name, kind, method, inputs, outputs, takesExamples }: SignatureReport): string {
  const rows = [
    ...inputs.map((tensor) => ['input', tensor] as const),
    ...outputs.map((tensor) => ['output', tensor] as const),
  ].map(([role, { name: tensor, dtype, shape, encoding }]) => [
    role,
    cut(tensor),
    encoding === 'dense' ? dtype : `${dtype} (${encoding})`,
    shapeText(shape),
  ]);
  const how = kind === 'other' ? method || 'no method' : kind;
  const head = `${name} (${how}${takesExamples ? ', takes serialized tf.Example messages' : ''})`;
  return `${head}\n${rows.length === 0 ? '  no tensors' : limited(rows)}`;
}

function featuresText(features: GraphReport['features']): string {
  const rows = features.map(({ name, kind, dtype, shape }) => [
    kind,
    cut(name),
    dtype,
    kind === 'dense' ? shapeText(shape) : 'any number of values',
  ]);
  return `features of a tf.Example\n${limited(rows)}`;
}

function limited(rows: readonly (readonly string[])[]): string {
  const more = rows.length > SHOWN ? `\n  and ${rows.length - SHOWN} more (--json has them)` : '';
  return `${table(rows.slice(0, SHOWN), '  ')}${more}`;
}

function parts({ variables, warmup }: SavedModelReport, { ops, assets, signatures: all }: GraphReport): string {
  const used = ops.filter((op) => op.count > 0).sort((a, b) => b.count - a.count);
  const some = used.slice(0, 12).map(({ op, count: n }) => (n === 1 ? op : `${op} ×${n}`));
  const hooks = all.filter(({ kind }) => kind === 'init' || kind === 'train').map(({ name }) => name);
  return lines([
    ['variables', variablesText(variables)],
    [
      'assets',
      assets.length === 0
        ? undefined
        : assets.slice(0, 8).join(', ') + (assets.length > 8 ? ` and ${assets.length - 8} more` : ''),
    ],
    ['warm-up', warmup && `${count(warmup.records, 'request')}, ${size(warmup.bytes)}${kindsText(warmup.kinds)}`],
    ['hooks', hooks.length === 0 ? undefined : hooks.join(', ')],
    ['ops', `${some.join(', ')}${used.length > some.length ? ` and ${used.length - some.length} others` : ''}`],
  ]);
}

const kindsText = (kinds: Readonly<Record<string, number>>): string => {
  const all = Object.entries(kinds).map(([kind, n]) => `${n} ${kind}`);
  return all.length === 0 ? '' : ` (${all.join(', ')})`;
};

function variablesText({ state, count: n, bytes, shards }: SavedModelReport['variables']): string {
  if (state === 'none') return 'none: its weights are constants of the graph';
  if (state === 'unread') return 'not checked (see below)';
  const whole = state === 'complete' ? 'complete' : 'not complete (see below)';
  return shards.length === 0
    ? whole
    : `${count(n, 'tensor')}, ${size(bytes)} in ${count(shards.length, 'shard')}, ${whole}`;
}

const list = (mark: string, texts: readonly string[]): string =>
  [...texts.slice(0, SHOWN), ...(texts.length > SHOWN ? [`and ${texts.length - SHOWN} more (--json has them)`] : [])]
    .map((text) => `${mark} ${wrap(text, 2)}`)
    .join('\n');

function verdict({ problems }: SavedModelReport): string {
  if (problems.length === 0) return '✔ TensorFlow Serving can serve it.';
  return `${list('✘', problems)}\n\nIt cannot be served as it is: ${count(problems.length, 'problem')}.`;
}

function fit({ files, mismatches }: Against): string {
  if (mismatches.length === 0) return `✔ It fits ${files.join(', ')}.`;
  const sentences = mismatches.map(({ problem, sentence }) => `${problem}: ${sentence}`);
  return `${list('✘', sentences)}\n\nIt does not fit ${files.join(', ')}: ${count(mismatches.length, 'difference')}.`;
}

const shapeText = (shape: readonly number[] | null): string => (shape === null ? 'any shape' : `[${shape.join(', ')}]`);

const count = (n: number, what: string): string => `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`;

const cut = (name: string): string => (name.length <= 44 ? name : `${name.slice(0, 43)}…`);

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const [value, unit] =
    bytes < 2 ** 20 ? [bytes / 2 ** 10, 'KB'] : bytes < 2 ** 30 ? [bytes / 2 ** 20, 'MB'] : [bytes / 2 ** 30, 'GB'];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** Breaks a text between words; what follows the first line is set in. */
function wrap(text: string, indent: number): string {
  const rows: string[] = [];
  let row = '';
  for (const word of text.split(' ')) {
    if (row !== '' && indent + row.length + 1 + word.length > WIDTH) {
      rows.push(row);
      row = word;
    } else row = row === '' ? word : `${row} ${word}`;
  }
  return [...rows, row].join(`\n${' '.repeat(indent)}`);
}
