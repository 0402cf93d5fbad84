import type { Finding, RetrainRequest, Verdict, WindowMetrics } from '@fairway/core';
import type { RepositoryFile } from '../ports.ts';
import { compose, most, type Section, whole } from './body.ts';
import { fileChanges, filesSection } from './diff.ts';
import { code, count, counted, figure, moment, plain, table } from './markdown.ts';
import { links, type PullRequestText } from './pull-request.ts';
import { retrainFolder, retrainNamespace } from './paths.ts';
import { type RetrainSource, seedOf } from './retrain-source.ts';

/** Older windows than these say nothing new, and a forge's body has a limit. */
const MAX_WINDOWS = 24;
const MAX_FINDINGS = 100;

/** `report.md`: the findings, the windows that led to them, and the data and Job of the retraining. */
export function retrainReport(source: RetrainSource): string {
  const { request } = source;
  const { model, verdict } = request;
  return [
    `# Retrain ${model} after ${plain(verdict.window.period)}`,
    state(request),
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

/** What gives way first when a forge takes less; all of it is in `report.md` on the branch. */
const GIVING_WAY = ['files', 'links', 'windows', 'training', 'snapshot', 'findings', 'rules'];

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
    windowsSection(request),
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

const windowsSection = (request: RetrainRequest): Section => ({
  name: 'windows',
  render: (room) =>
    most(MAX_WINDOWS, room, (shown) => (shown === 0 ? '' : `## Windows\n\n${windowTable(request, shown)}`)),
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
