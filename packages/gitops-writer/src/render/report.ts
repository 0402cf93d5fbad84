import type { Finding, RetrainRequest, Verdict, WindowMetrics } from '@fairway/core';
import type { RepositoryFile } from '../ports.ts';
import { compose, most, type Section, whole } from './body.ts';
import { fileChanges, filesSection } from './diff.ts';
import { code, count, counted, figure, moment, plain, table } from './markdown.ts';
import { links, type PullRequestText } from './pull-request.ts';
import { chartFile, retrainFolder, retrainNamespace } from './paths.ts';
import { type RetrainSource, seedOf } from './retrain-source.ts';

/** Older windows than these say nothing new, and a forge's body has a limit. */
const MAX_WINDOWS = 24;
const MAX_FINDINGS = 100;
const MAX_MOVED = 20;
const MAX_INPUTS = 40;

/** `report.md`: the findings, the windows that led to them, and the data and Job of the retraining. */
export function retrainReport(source: RetrainSource): string {
  const { request } = source;
  const { model, verdict } = request;
  return [
    `# Retrain ${model} after ${plain(verdict.window.period)}`,
    state(request),
    '## Findings',
    verdict.findings.map(finding).join('\n'),
    rulesTable(request),
    ...movedPart(request),
    ...(request.charts ?? []).map(({ name, title }) => `![${plain(title)}](${chartFile(name)})`),
    '## Windows',
    windowTable(request),
    '## Inputs',
    inputsTable(request),
    '## Snapshot',
    snapshotTable(request),
    '## Training',
    training(source),
    '',
  ].join('\n\n');
}

/** What gives way first when a forge takes less; all of it is in `report.md` on the branch. */
const GIVING_WAY = [
  'files',
  'links',
  'inputs',
  'windows',
  'limits',
  'training',
  'snapshot',
  'moved',
  'findings',
  'rules',
];

export type RetrainEvidence = {
  readonly source: RetrainSource;
  /** Files of the change's folder on the default branch, and as this change wants them. */
  readonly before: readonly RepositoryFile[];
  readonly after: readonly RepositoryFile[];
  readonly dashboardUrl?: string;
  /** Most characters that the forge takes. */
  readonly bodyLimit: number;
};

/** Title and body of a retrain pull request: the report, what merging does, and our marker. */
export function retrainPullRequest(evidence: RetrainEvidence): PullRequestText {
  const { source, before, after, bodyLimit } = evidence;
  const { change, request } = source;
  const { model, environment, verdict } = request;
  const folder = retrainFolder(model, change);
  const sections = [
    whole('headline', `Retraining of **${model}** was asked for by ${code(request.actor)}. ${state(request)}`),
    findingsSection(request),
    whole('limits', rulesTable(request)),
    whole('moved', movedPart(request).join('\n\n')),
    windowsSection(request, chartsAt(source)),
    whole('inputs', `## Inputs\n\n${inputsTable(request)}`),
    whole('snapshot', `## Snapshot\n\n${snapshotTable(request)}`),
    whole('training', `## Training\n\n${training(source)}`),
    filesSection(fileChanges(before, after), folder),
    whole('rules', rules(request)),
    links(model, evidence),
  ];
  return {
    title: `Retrain ${model} after ${verdict.window.period} (${environment})`,
    body: compose(sections, GIVING_WAY, change, bodyLimit),
    labels: ['fairway', 'fairway/retrain'],
  };
}

const state = ({ version, environment, verdict }: RetrainRequest): string =>
  `Version ${version} in ${environment} is in **${verdict.state}** for ${plain(verdict.window.period)}.`;

function findingsSection({ verdict: { findings } }: RetrainRequest): Section {
  const text = (shown: number) => {
    const rest = findings.length - shown;
    const more = rest > 0 ? [`- ${counted(rest, 'more finding')} in \`report.md\``] : [];
    return `## Findings\n\n${[...findings.slice(0, shown).map(finding), ...more].join('\n')}`;
  };
  return {
    name: 'findings',
    render: (room) => (findings.length === 0 ? '' : most(Math.min(findings.length, MAX_FINDINGS), room, text)),
  };
}

const windowsSection = (request: RetrainRequest, charts: string): Section => ({
  name: 'windows',
  render: (room) =>
    most(MAX_WINDOWS, room, (shown) => (shown === 0 ? '' : `## Windows\n\n${windowTable(request, shown)}${charts}`)),
});

const rules = ({ model, version }: RetrainRequest): string =>
  [
    '## What a decision does',
    '',
    `- **Merging** lets Argo CD run the training Job once in namespace \`${retrainNamespace(model)}\`. It registers a candidate only if that beats version ${version}; nothing is deployed before somebody approves the candidate.`,
    '- **Closing** rejects the retraining for this evidence.',
    '- **A commit added to this branch** voids the request: what is merged must be what was asked for.',
  ].join('\n');

function finding({ severity, message }: Finding): string {
  return `- **${severity}**: ${plain(message)}`;
}

function windowTable({ windows, verdict }: RetrainRequest, most = MAX_WINDOWS): string {
  const all = [...windows.filter(({ window }) => window.period !== verdict.window.period), verdict];
  const shown = all.slice(-most);
  const rows = table(
    ['period', 'version', 'predictions', 'labelled', 'AUC', '95 % interval', 'KS', 'worst PSI', 'verdict'],
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
    intervalOf(metrics),
    figure(metrics.ks),
    worstPsi(metrics),
    state,
  ];
}

const intervalOf = ({ aucInterval: at }: Partial<WindowMetrics>): string =>
  at === null || at === undefined ? '–' : `${figure(at[0])} to ${figure(at[1])}`;

/** Each breached rule with its limit, and what chance alone reaches. */
const rulesTable = ({ verdict: { findings } }: RetrainRequest): string =>
  findings.length === 0
    ? ''
    : table(
        ['rule', 'of', 'value', 'limit', 'by chance', 'rows'],
        findings
          .slice(0, MAX_FINDINGS)
          .map(({ rule, metric, variable, value, op, limit, noise, sample }) => [
            plain(rule),
            plain(variable === undefined ? metric : `${metric} of ${variable}`),
            figure(value),
            `${plain(op)} ${figure(limit)}`,
            figure(noise),
            count(sample),
          ]),
      );

/** What moved, strongest first, with its part of all that moved. */
function movedPart({ moved = [] }: RetrainRequest): string[] {
  if (moved.length === 0) return [];
  const rows = moved
    .slice(0, MAX_MOVED)
    .map(({ kind, share, sentence }) => `- **${kind}**, ${Math.round(100 * share)} %: ${plain(sentence)}`);
  return ['## What moved', rows.join('\n')];
}

/** Relative links lead from a pull request to other places on each forge, so the pictures are named, not shown. */
function chartsAt({ change, request: { model, charts = [] } }: RetrainSource): string {
  const titles = charts.map(({ name, title }) => `- ${code(chartFile(name))}: ${plain(title)}`);
  const folder = retrainFolder(model, change);
  return titles.length === 0 ? '' : `\n\nCharts, shown in ${code(`${folder}/report.md`)}:\n\n${titles.join('\n')}`;
}

/** Drift of each input, largest first, beside the window before. */
function inputsTable({ verdict, windows }: RetrainRequest): string {
  const before = windows.at(-1)?.metrics.psi ?? {};
  const { psi, psiWithMissing, missing } = verdict.metrics;
  const rows = Object.entries(psi)
    .toSorted(([, a], [, b]) => (b ?? -1) - (a ?? -1))
    .slice(0, MAX_INPUTS)
    .map(([name, value]) => [
      plain(name),
      figure(value),
      figure(before[name]),
      figure(psiWithMissing?.[name]),
      missing?.[name] === undefined ? '–' : `${(100 * missing[name]).toFixed(1)} %`,
    ]);
  return table(['input', 'PSI', 'PSI before', 'with missing', 'missing'], rows);
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
