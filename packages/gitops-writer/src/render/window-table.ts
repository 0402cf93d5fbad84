import type { RetrainRequest, Verdict, WindowMetrics } from '@fairway/core';
import { count, figure, plain, table } from './markdown.ts';

/** Older windows than these say nothing new, and a forge's body has a limit. */
export const MAX_WINDOWS = 24;

/** The newest windows, with the figures that suit what the model predicts. */
export function windowTable({ windows, verdict }: RetrainRequest, most = MAX_WINDOWS): string {
  const all = [...windows.filter(({ window }) => window.period !== verdict.window.period), verdict];
  const shown = all.slice(-most);
  const { heads, read } = figuresOf(verdict.metrics);
  const rows = table(
    ['period', 'version', 'predictions', 'labelled', ...heads, 'worst PSI', 'verdict'],
    shown.map(({ window, metrics, state }: Verdict) => [
      plain(window.period),
      window.version,
      count(metrics.predictions),
      count(metrics.labelled),
      ...read(metrics),
      worstPsi(metrics),
      state,
    ]),
  );
  return shown.length === all.length ? rows : `${rows}\n\n${all.length - shown.length} older windows are not shown.`;
}

type Figures = { readonly heads: readonly string[]; readonly read: (metrics: WindowMetrics) => string[] };

function figuresOf({ classification, regression }: WindowMetrics): Figures {
  if (classification !== undefined) {
    return {
      heads: ['accuracy', 'balanced', 'macro F1'],
      read: ({ classification: of }) => [figure(of?.accuracy), figure(of?.balancedAccuracy), figure(of?.macroF1)],
    };
  }
  if (regression !== undefined) {
    return {
      heads: ['MAE', 'RMSE', 'R²', 'PSI of the prediction'],
      read: ({ regression: of }) => [
        figure(of?.mae),
        figure(of?.rmse),
        figure(of?.rSquared),
        figure(of?.predictionPsi),
      ],
    };
  }
  return {
    heads: ['AUC', '95 % interval', 'KS'],
    read: (metrics) => [figure(metrics.auc), intervalOf(metrics), figure(metrics.ks)],
  };
}

const intervalOf = ({ aucInterval: at }: Partial<WindowMetrics>): string =>
  at === null || at === undefined ? '–' : `${figure(at[0])} to ${figure(at[1])}`;

function worstPsi({ psi }: WindowMetrics): string {
  let worst: readonly [string, number] | undefined;
  for (const [name, value] of Object.entries(psi)) {
    if (value !== null && (worst === undefined || value > worst[1])) worst = [name, value];
  }
  return worst === undefined ? '–' : `${figure(worst[1])} (${plain(worst[0])})`;
}
