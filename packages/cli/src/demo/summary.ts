import type { Change, Verdict } from '@fairway/core';
import { writeGiven } from '../commands/given-files.ts';
import { table } from '../commands/table.ts';

/** What `--summary FILE` holds. Times in milliseconds. */
export type Summary = {
  readonly data: string;
  readonly stages: ReadonlyArray<{ readonly stage: string; readonly ms: number }>;
  readonly totalMs: number;
  readonly pullRequests: ReadonlyArray<{
    readonly number: number;
    readonly kind: string;
    readonly state: string;
    readonly mergeCommit: string | null;
    readonly url: string;
  }>;
  readonly windows: readonly SummaryWindow[];
  readonly sent: number;
  readonly stored: number;
  /** Calls that killed agents told as lost with their memory, at most. */
  readonly killedCalls: number;
  readonly cards: ReadonlyArray<{
    readonly event: string;
    readonly title: string;
    readonly valid: boolean;
    readonly at: string;
  }>;
  /** Messages that were not accepted when the story ended. */
  readonly cardsUnderWay: number;
};

type SummaryWindow = {
  readonly model: string;
  readonly version: string;
  readonly period: string;
  readonly predictions: number;
  readonly labelled: number;
  readonly auc: number | null;
  readonly ks: number | null;
  readonly psi: Readonly<Record<string, number | null>>;
  readonly verdict: string;
};

export const summaryWindow = ({ window, metrics, state }: Verdict): SummaryWindow => ({
  model: window.model,
  version: window.version,
  period: window.period,
  predictions: metrics.predictions,
  labelled: metrics.labelled,
  auc: metrics.auc,
  ks: metrics.ks,
  psi: metrics.psi,
  verdict: state,
});

/** Pull requests of all changes, in the order of their numbers. */
export const summaryPullRequests = (changes: readonly Change[]): Summary['pullRequests'] =>
  changes
    .flatMap(({ kind, pullRequest: pull }) =>
      pull === undefined
        ? []
        : [{ number: pull.number, kind, state: pull.state, mergeCommit: pull.mergeCommit ?? null, url: pull.url }],
    )
    .sort((a, b) => a.number - b.number);

export const writeSummary = (file: string, summary: Summary): void =>
  writeGiven(['--summary', file], `${JSON.stringify(summary, undefined, 2)}\n`);

/** The windows as the table that ends the story. */
export function windowsTable(windows: readonly SummaryWindow[]): string {
  const header = ['period', 'model', 'rows', 'labelled', 'AUC', 'KS', 'worst PSI', '', 'verdict'];
  const rows = windows.map((window) => {
    const [variable, psi] = worst(window.psi);
    return [
      window.period,
      `v${window.version}`,
      String(window.predictions),
      String(window.labelled),
      figure(window.auc),
      figure(window.ks),
      figure(psi),
      variable,
      window.verdict,
    ];
  });
  return table([header, ...rows], '   ');
}

const figure = (value: number | null): string => (value === null ? '-' : value.toFixed(3));

function worst(psi: Readonly<Record<string, number | null>>): [variable: string, value: number | null] {
  const found = Object.entries(psi)
    .filter((entry): entry is [string, number] => entry[1] !== null)
    .sort((a, b) => b[1] - a[1])[0];
  return found ?? ['', null];
}

/** `8 cards`, `7 cards and one more under way`. */
export function cardsText({ cards, cardsUnderWay: more }: Pick<Summary, 'cards' | 'cardsUnderWay'>): string {
  const told = cards.length === 1 ? 'one card' : `${cards.length} cards`;
  return more === 0 ? told : `${told} and ${more === 1 ? 'one' : more} more under way`;
}
