import type { Baseline } from '@fairway/core';
import { segmentSentence, type WindowAnalysis } from '@fairway/monitor';
import type { Read } from './analyze-table.ts';
import { printable } from './printable.ts';
import { table } from './table.ts';

const WORDS: Readonly<Record<WindowAnalysis['verdict'], string>> = {
  healthy: 'healthy',
  warning: 'WARNING',
  alert: 'ALERT',
  insufficient: 'not enough data',
};

const figure = (value: number | null | undefined, digits = 4): string =>
  value === null || value === undefined ? '-' : value.toFixed(digits);
const amount = (value: number | null | undefined): string => (isKnown(value) ? value.toPrecision(5) : '-');
const isKnown = (value: number | null | undefined): value is number => value !== null && value !== undefined;
const percent = (value: number | null | undefined): string =>
  value === null || value === undefined ? '-' : `${(value * 100).toFixed(1)}%`;
const count = (value: number): string => value.toLocaleString('en-US');

/** Which columns are compared, and as what. */
export function columnLines(baseline: Baseline, leftOut: readonly string[], { tally, turned }: Read): string[] {
  const of = (kind: string) => baseline.variables.filter((one) => one.kind === kind).map(({ name }) => name);
  const [numbers, categories] = [of('numeric'), of('category')];
  const lines = [
    `Baseline ${tally.plan.file}: ${count(baseline.rows)} rows.`,
    ...(numbers.length === 0 ? [] : [`  numbers     ${numbers.join(', ')}`]),
    ...(categories.length === 0 ? [] : [`  categories  ${categories.join(', ')}`]),
    ...leftOut.map((sentence) => `  ${sentence}`),
    ...baseline.variables
      .filter(looksLikeId)
      .map(({ name }) => `  ${name} is different in every row: leave it out by --ignore ${name} if it is an id.`),
    ...[...turned]
      .filter(([name]) => mostlyNumbers(tally, name))
      .map(([name, { line, text }]) => {
        return `  ${name} is compared as text: line ${line} holds ${JSON.stringify(text.slice(0, 40))}, which is no number.`;
      }),
    ...unusableScores(tally),
  ];
  return lines.map(printable);
}

function unusableScores({ plan, invalidScores, firstInvalidScore: first }: Read['tally']): string[] {
  if (plan.score === undefined || first === undefined) return [];
  const seen = `first in line ${first.line}: ${JSON.stringify(first.text.slice(0, 40))}`;
  const rows = invalidScores === 1 ? '1 row holds' : `${count(invalidScores)} rows hold`;
  return [`  ${rows} no score in ${plan.score.name} (${seen}): nothing of performance is taken from there.`];
}

/** Whole numbers that are nowhere the same twice: in a thousand rows that is hardly an input. */
function looksLikeId(variable: Baseline['variables'][number]): boolean {
  if (variable.kind !== 'numeric' || variable.n < 1000 || variable.missing > 0) return false;
  return variable.max - variable.min === variable.n - 1 && variable.edges.length === 9;
}

function mostlyNumbers(tally: Read['tally'], name: string): boolean {
  const one = tally.variables.get(name);
  if (one?.kind !== 'category') return false;
  const texts = [...one.texts.keys()];
  return texts.filter((text) => Number.isFinite(Number(text))).length > texts.length / 2;
}

/** All windows side by side, then what each is told of in sentences. */
export function analysisText(windows: readonly WindowAnalysis[]): string {
  return ['', figures(windows), '', drift(windows), '', ...windows.flatMap(sentences)]
    .map(printableLines)
    .join('\n')
    .trimEnd();
}

const printableLines = (text: string): string => text.split('\n').map(printable).join('\n');

function figures(windows: readonly WindowAnalysis[]): string {
  const hasScores = windows.some((one) => one.figures['meanScore'] !== null);
  const row = (title: string, read: (one: WindowAnalysis) => string) => [title, ...windows.map(read)];
  const performance = hasScores
    ? [
        row('AUC', (one) => figure(one.auc)),
        row('  95 % interval', ({ aucInterval: at }) => (at === null ? '-' : `${figure(at[0])}-${figure(at[1])}`)),
        row('KS', (one) => figure(one.ks)),
        row('Gini', (one) => figure(one.gini)),
        row('lift at 5 / 10 / 20 %', ({ figures: all }) =>
          [all['lift5'], all['lift10'], all['lift20']].map((lift) => figure(lift, 2)).join(' / '),
        ),
        row('Brier (ASE)', ({ figures: all }) => figure(all['brier'])),
        row('log loss', ({ figures: all }) => figure(all['logLoss'])),
        row('calibration error', ({ figures: all }) => figure(all['ece'])),
        row('mean score - event rate', ({ figures: all }) => figure(all['calibration'])),
        row('score PSI', ({ figures: all }) => figure(all['scorePsi'])),
      ]
    : [];
  const hasNumbers = windows.some(({ figures: all }) => isKnown(all['mae']) || isKnown(all['predictionPsi']));
  const numbers = hasNumbers
    ? [
        row('MAE', ({ figures: all }) => amount(all['mae'])),
        row('RMSE', ({ figures: all }) => amount(all['rmse'])),
        row('R2', ({ figures: all }) => figure(all['rSquared'])),
        row('PSI of the prediction', ({ figures: all }) => figure(all['predictionPsi'])),
        row('largest shift of its deciles', ({ figures: all }) => figure(all['predictionDrift'])),
      ]
    : [];
  const classes = windows.some(({ figures: all }) => isKnown(all['noClass'])) ? classRows(row, windows) : [];
  return table([
    row('', (one) => one.name),
    row('verdict', (one) => WORDS[one.verdict]),
    row('rows', (one) => count(one.rows)),
    row('labelled', (one) => percent(one.labelled / one.rows)),
    row('event rate', (one) => percent(one.eventRate)),
    ...performance,
    ...numbers,
    ...classes,
  ]);
}

type Row = (title: string, read: (one: WindowAnalysis) => string) => string[];

/** Of several classes; recall by class, as far as there is room. */
const classRows = (row: Row, windows: readonly WindowAnalysis[]): string[][] => [
  row('accuracy', ({ figures: all }) => figure(all['accuracy'])),
  row('balanced accuracy', ({ figures: all }) => figure(all['balancedAccuracy'])),
  row('macro F1 / weighted F1', ({ figures: all }) => `${figure(all['macroF1'])} / ${figure(all['weightedF1'])}`),
  row("Cohen's kappa", ({ figures: all }) => figure(all['kappa'])),
  ...(windows.some(({ figures: all }) => isKnown(all['classBrier']))
    ? [
        row('mean AUC of the classes', ({ figures: all }) => figure(all['macroAuc'])),
        row('log loss', ({ figures: all }) => figure(all['logLoss'])),
        row('calibration error', ({ figures: all }) => figure(all['classEce'])),
      ]
    : []),
  row('PSI of the predicted class', ({ figures: all }) => figure(all['classPsi'])),
  ...Object.keys(windows[0]?.classes ?? {})
    .slice(0, SHOWN)
    .map((name) => row(`  recall of ${name}`, ({ classes = {} }) => figure(classes[name]?.['classRecall']))),
];

const SHOWN = 15;

/** PSI by input, what moved most first. */
function drift(windows: readonly WindowAnalysis[]): string {
  const names = Object.keys(windows[0]?.psi ?? {});
  const most = (name: string) => Math.max(...windows.map((one) => one.psi[name] ?? 0));
  const order = names.sort((a, b) => most(b) - most(a));
  const rows = order.slice(0, SHOWN).map((name) => [name, ...windows.map((one) => psiCell(one, name))]);
  const rest = order.length > SHOWN ? `\n${order.length - SHOWN} more inputs, all below; --json has them.` : '';
  const title =
    'PSI, missing values left out  (* above what chance reaches in 99 %;  missing rate beside it where it changed)';
  return `${title}\n${table([['', ...windows.map(({ name }) => name)], ...rows])}${rest}`;
}

function psiCell(one: WindowAnalysis, name: string): string {
  const [psi, noise, rise] = [one.psi[name], one.psiNoise[name], one.inputs[name]?.['missingRise']];
  const mark = typeof psi === 'number' && typeof noise === 'number' && psi > noise ? ' *' : '';
  const missing = Math.abs(rise ?? 0) >= 0.01 ? `  ${percent(one.missing[name])} missing` : '';
  return `${figure(psi)}${mark}${missing}`;
}

function sentences({ name, verdict, findings, notes, segments = [] }: WindowAnalysis): string[] {
  const lines = [
    ...findings.map(({ severity, rule, message }) => `  ${severity === 'alert' ? '!!' : '! '} ${message} [${rule}]`),
    ...notes.map((note) => `     ${note}`),
    ...segments.map((segment) => `  <  ${segmentSentence(segment)}`),
  ];
  const none = verdict === 'healthy' ? ['     All rules hold.'] : [];
  return [`${name}: ${WORDS[verdict]}`, ...(findings.length === 0 ? none : []), ...lines, ''];
}
