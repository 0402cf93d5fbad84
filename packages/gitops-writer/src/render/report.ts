import type { Finding, RetrainRequest, Verdict, WindowMetrics } from '@fairway/core';
import { count, figure, moment, plain, table } from './markdown.ts';
import { type PullRequestText, marker } from './pull-request.ts';
import { retrainNamespace } from './paths.ts';
import { type RetrainSource, seedOf } from './retrain-source.ts';

/** Older windows than these say nothing new, and a forge's body has a limit. */
const MAX_WINDOWS = 24;

/** `report.md`: the findings, the windows that led to them, and the data and Job of the retraining. */
export function retrainReport(source: RetrainSource): string {
  const { request } = source;
  const { model, version, environment, verdict } = request;
  return [
    `# Retrain ${model} after ${plain(verdict.window.period)}`,
    `Version ${version} in ${environment} is in **${verdict.state}** for ${plain(verdict.window.period)}.`,
    '## Findings',
    verdict.findings.map(finding).join('\n'),
    '## Windows',
    windowTable(request),
    '## Snapshot',
    snapshotTable(request),
    '## Training',
    training(source),
    '',
  ].join('\n\n');
}

/** Title and body of a retrain pull request: the report, what merging does, and our marker. */
export function retrainPullRequest(source: RetrainSource, dashboardUrl: string | undefined): PullRequestText {
  const { change, request } = source;
  const { model, environment, verdict } = request;
  const report = retrainReport(source).split('\n').slice(2).join('\n').trim();
  const merging = `**What merging does.** Argo CD runs the training Job once in namespace \`${retrainNamespace(model)}\`. It registers a candidate only if that beats version ${request.version}; nothing is deployed before somebody approves the candidate. Closing this pull request rejects the retraining for this evidence.`;
  const link = dashboardUrl === undefined ? [] : [`[${model} on the dashboard](${dashboardUrl}/models/${model})`];
  return {
    title: `Retrain ${model} after ${verdict.window.period} (${environment})`,
    body: `${[report, merging, ...link, marker(change)].join('\n\n')}\n`,
    labels: ['fairway', 'fairway/retrain'],
  };
}

function finding({ severity, message }: Finding): string {
  return `- **${severity}**: ${plain(message)}`;
}

function windowTable({ windows, verdict }: RetrainRequest): string {
  const all = [...windows.filter(({ window }) => window.period !== verdict.window.period), verdict];
  const shown = all.slice(-MAX_WINDOWS);
  const rows = table(
    ['period', 'version', 'predictions', 'labelled', 'AUC', 'KS', 'worst PSI', 'verdict'],
    shown.map(windowRow),
  );
  return shown.length === all.length ? rows : `${rows}\n\n${all.length - shown.length} older windows are not shown.`;
}

function windowRow({ window, metrics, state }: Verdict): string[] {
  return [
    plain(window.period),
    window.version,
    count(metrics.predictions),
    count(metrics.labelled),
    figure(metrics.auc),
    figure(metrics.ks),
    worstPsi(metrics),
    state,
  ];
}

function worstPsi({ psi }: WindowMetrics): string {
  let worst: readonly [string, number] | undefined;
  for (const [name, value] of Object.entries(psi)) {
    if (value !== null && (worst === undefined || value > worst[1])) worst = [name, value];
  }
  return worst === undefined ? '–' : `${figure(worst[1])} (${plain(worst[0])})`;
}

function snapshotTable({ snapshot }: RetrainRequest): string {
  const rate = snapshot.labels === 0 ? '' : ` (${((100 * snapshot.events) / snapshot.labels).toFixed(1)} % events)`;
  return table(
    ['what', 'value'],
    [
      ['File', `\`${snapshot.file}\``],
      ['Period', `${moment(snapshot.start)} up to ${moment(snapshot.end)}`],
      ['Rows', count(snapshot.rows)],
      ['Labels', `${count(snapshot.labels)}${rate}`],
      ['Columns', String(snapshot.columns.length)],
      ['sha256', `\`${snapshot.sha256}\``],
      ['Query', 'in `snapshot.json` beside this report'],
    ],
  );
}

function training({ change, request, file }: RetrainSource): string {
  return table(
    ['what', 'value'],
    [
      ['Image', `\`${file.retrain.image}\``],
      ['Champion', `version ${request.version}`],
      ['Gate', `candidate AUC at least ${file.retrain.gateMargin} above the champion's on the same held-out rows`],
      ['Seed', String(seedOf(change))],
    ],
  );
}
