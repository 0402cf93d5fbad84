import type { ModelVersion, TensorSpec, Variable } from '@fairway/core';
import { either, most, type Section } from './body.ts';
import { code, counted, details, difference, fenced, figure, moment, plain, short, table } from './markdown.ts';

/** Rows of a table that people still read. */
const MOST_ROWS = 60;

/** The proposed version beside the one that serves; rows in which nothing is known are left out. */
export function modelCard(next: ModelVersion, current: ModelVersion | undefined): Section {
  const metrics = metricNames(next, current).map((name) => metricRow(name, next, current));
  const title = current === undefined ? 'Nothing is deployed in this environment yet.' : '';
  const text = (shown: number) => {
    const rows = [...identity(next, current), ...metrics.slice(0, shown), ...shape(next, current)];
    const rest = metrics.length - shown;
    const more = rest > 0 ? `${counted(rest, 'more metric')} in \`modelversion.json\`.` : '';
    return ['## The model', title, comparison(rows, next, current), more].filter((part) => part !== '').join('\n\n');
  };
  return { name: 'model', render: (room) => most(Math.min(metrics.length, MOST_ROWS), room, text) };
}

/** name, now, proposed, difference */
type Row = readonly [string, string | undefined, string | undefined, string];

function comparison(rows: readonly Row[], next: ModelVersion, current: ModelVersion | undefined): string {
  const known = rows.filter(([, before, after]) => before !== undefined || after !== undefined);
  if (current === undefined) {
    return table(
      ['', `proposed: version ${next.version}`],
      known.map(([name, , after = '–']) => [name, after]),
    );
  }
  return table(
    ['', `now: version ${plain(current.version)}`, `proposed: version ${next.version}`, 'difference'],
    known.map(([name, before = '–', after = '–', delta]) => [name, before, after, delta]),
  );
}

function identity(next: ModelVersion, current: ModelVersion | undefined): Row[] {
  const digest = (version: ModelVersion | undefined) => version && `\`${short(version.digest)}\``;
  return [
    ['Digest', digest(current), digest(next), next.digest === current?.digest ? 'the same bytes' : ''],
    ['Size', size(current?.bytes), size(next.bytes), sizeDifference(next.bytes, current?.bytes)],
  ];
}

function shape(next: ModelVersion, current: ModelVersion | undefined): Row[] {
  const target = ({ target: { variable, event, probability } }: ModelVersion) =>
    `${plain(variable)} = ${plain(event)}, by ${plain(probability)}`;
  const numberOf = (role: Variable['role']) => (version: ModelVersion) =>
    String(version.variables.filter((variable) => variable.role === role).length);
  const row = (name: string, of: (version: ModelVersion) => string | undefined): Row => {
    const [before, after] = [current && of(current), of(next)];
    return [name, before, after, current !== undefined && before !== after ? 'changed' : ''];
  };
  return [
    row('Inputs', numberOf('input')),
    row('Outputs', numberOf('output')),
    row('Target', target),
    ['Trained', current?.trainedAt && moment(current.trainedAt), next.trainedAt && moment(next.trainedAt), ''],
    ['Origin', current && plain(current.origin), plain(next.origin), ''],
  ];
}

function metricNames(next: ModelVersion, current: ModelVersion | undefined): string[] {
  return [...new Set([...Object.keys(next.metrics), ...Object.keys(current?.metrics ?? {})])].sort();
}

function metricRow(name: string, next: ModelVersion, current: ModelVersion | undefined): Row {
  const before = metric(current, name);
  const after = metric(next, name);
  const delta = before === undefined || after === undefined ? '' : difference(after - before);
  return [plain(name.toUpperCase()), current && figure(before), figure(after), delta];
}

/** A metric may be called `toString`. */
const metric = (version: ModelVersion | undefined, name: string): number | undefined =>
  version !== undefined && Object.hasOwn(version.metrics, name) ? version.metrics[name] : undefined;

const size = (bytes: number | undefined): string | undefined => {
  if (bytes === undefined) return undefined;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
};

const sizeDifference = (next: number | undefined, current: number | undefined): string =>
  next === undefined || current === undefined || next === current
    ? ''
    : `${next < current ? '−' : '+'}${size(Math.abs(next - current))}`;

/** The exact bytes, to be compared with what was approved. */
export const bytesSection = ({ digest }: ModelVersion, image: string): Section =>
  either('bytes', () => `## The bytes\n\nSavedModel ${code(digest)}, served by image\n\n${fenced(image)}`);

/** What callers of the model notice: tensors of the signature and registered variables that came, went or changed. */
export function interfaceSection(next: ModelVersion, current: ModelVersion | undefined): Section {
  const rows = [
    ...delta('signature', signatureLines(current), signatureLines(next)),
    ...delta('input tensor', tensors(current?.signature.inputs), tensors(next.signature.inputs)),
    ...delta('output tensor', tensors(current?.signature.outputs), tensors(next.signature.outputs)),
    ...delta('input variable', variables(current, 'input'), variables(next, 'input')),
    ...delta('output variable', variables(current, 'output'), variables(next, 'output')),
  ];
  if (rows.length === 0) {
    return either('interface', () => '## What callers notice\n\nSignature and variables are the same.');
  }
  const text = (shown: number) => (current === undefined ? firstInterface : changedInterface)(rows, shown);
  return { name: 'interface', render: (room) => most(Math.min(rows.length, MOST_ROWS), room, text) };
}

function changedInterface(rows: readonly string[][], shown: number): string {
  const title = `## What callers notice\n\n${counted(rows.length, 'change')} of signature and variables.`;
  if (shown === 0) return title;
  return `${title}\n\n${table(['what', 'name', 'now', 'proposed'], rows.slice(0, shown))}${more(rows, shown)}`;
}

function firstInterface(rows: readonly string[][], shown: number): string {
  if (shown === 0) return '';
  const listed = rows.slice(0, shown).map(([what = '', name = '', , after = '']) => [what, name, after]);
  return details('Signature and variables', `${table(['what', 'name', 'is'], listed)}${more(rows, shown)}`);
}

const more = (rows: readonly unknown[], shown: number): string =>
  shown === rows.length ? '' : `\n\n${counted(rows.length - shown, 'more row')} in \`modelversion.json\`.`;

type Named = ReadonlyMap<string, string>;

function delta(what: string, before: Named, after: Named): string[][] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) => [what, plain(name), before.get(name) ?? '–', after.get(name) ?? '–']);
}

const signatureLines = (version: ModelVersion | undefined): Named =>
  new Map(version === undefined ? [] : [[version.signature.name, plain(version.signature.method)]]);

const tensors = (specs: readonly TensorSpec[] = []): Named =>
  new Map(specs.map(({ name, dtype, shape: dims }) => [name, plain(`${dtype} (${dims.join(', ')})`)]));

const variables = (version: ModelVersion | undefined, role: Variable['role']): Named =>
  new Map(
    (version?.variables ?? [])
      .filter((variable) => variable.role === role)
      .map(({ name, type, length }) => [name, plain(length === undefined ? type : `${type}, length ${length}`)]),
  );
