import { type StoredWindow, unansweredSentence } from '@fairway/monitor';
import { printable } from './printable.ts';
import { table } from './table.ts';

const figure = (value: number | null | undefined): string =>
  value === null || value === undefined ? '-' : value.toFixed(4);
const isKnown = (value: number | null | undefined): value is number => value !== null && value !== undefined;
const amount = (value: number | null | undefined): string => (isKnown(value) ? value.toPrecision(5) : '-');
const percent = (value: number | null): string => (value === null ? '-' : `${(value * 100).toFixed(1)}%`);
const count = (value: number): string => value.toLocaleString('en-US');

const HEADER = [
  'window',
  'version',
  'environment',
  'verdict',
  'rows',
  'labelled',
  'events',
  'AUC',
  '95 % interval',
  'KS',
  'Gini',
  'PSI',
  'of',
];

const CLASSES = ['accuracy', 'balanced', 'macro F1', 'kappa', 'PSI of class'];
const NUMBERS = ['MAE', 'RMSE', 'R2', 'PSI of prediction'];

/** A line for each window, the input that moved most among them, and what the newest judged window is told of. */
export function windowsText(windows: readonly StoredWindow[]): string {
  const hasNumbers = windows.some(({ figures }) => isKnown(figures['mae']) || isKnown(figures['predictionPsi']));
  const hasClasses = windows.some(({ figures }) => isKnown(figures['noClass']));
  const more = [...(hasNumbers ? NUMBERS : []), ...(hasClasses ? CLASSES : [])];
  const lines = table([
    [...HEADER, ...more],
    ...windows.map((one) => [...row(one), ...(hasNumbers ? numbers(one) : []), ...(hasClasses ? classes(one) : [])]),
  ]).split('\n');
  const judged = windows.findLast(({ findings, unanswered = [] }) => findings.length + unanswered.length > 0);
  const sentences =
    judged === undefined
      ? []
      : [
          '',
          `${judged.name}, version ${judged.version} in ${judged.environment} (verdict ${judged.verdictId ?? '-'}):`,
          ...judged.findings.map(
            ({ severity, rule, message }) => `  ${severity === 'alert' ? '!!' : '! '} ${message} [${rule}]`,
          ),
          ...(judged.unanswered ?? []).map((one) => `     ${unansweredSentence(one)}`),
        ];
  return [...lines, ...sentences].map(printable).join('\n');
}

const numbers = ({ figures }: StoredWindow): string[] => [
  amount(figures['mae']),
  amount(figures['rmse']),
  figure(figures['rSquared']),
  figure(figures['predictionPsi']),
];

const classes = ({ figures }: StoredWindow): string[] =>
  ['accuracy', 'balancedAccuracy', 'macroF1', 'kappa', 'classPsi'].map((name) => figure(figures[name]));

function row(one: StoredWindow): string[] {
  const [moved, psi] = mostMoved(one);
  return [
    one.name,
    one.version === '' ? '-' : one.version,
    one.environment,
    one.verdict ?? 'not judged',
    count(one.rows),
    percent(one.rows === 0 ? null : one.labelled / one.rows),
    percent(one.eventRate),
    figure(one.auc),
    one.aucInterval === null ? '-' : one.aucInterval.map(figure).join('-'),
    figure(one.ks),
    figure(one.gini),
    figure(psi),
    moved,
  ];
}

function mostMoved({ psi }: StoredWindow): readonly [name: string, psi: number | null] {
  let most: readonly [string, number] | undefined;
  for (const [name, value] of Object.entries(psi)) {
    if (value !== null && (most === undefined || value > most[1])) most = [name, value];
  }
  return most ?? ['-', null];
}
