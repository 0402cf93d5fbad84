import type { Compared, Finding, RetrainRequest, WindowMetrics } from '@fairway/core';
import type { RepositoryFile } from '../ports.ts';
import { compose, most, type Section, whole } from './body.ts';
import { fileChanges, filesSection } from './diff.ts';
import { code, count, counted, figure, moment, plain, table } from './markdown.ts';
import { links, type PullRequestText } from './pull-request.ts';
import { chartFile, retrainFolder, retrainNamespace } from './paths.ts';
import { type RetrainSource, seedOf } from './retrain-source.ts';
import { MAX_WINDOWS, windowTable } from './window-table.ts';

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
    ...unansweredPart(request),
    ...movedPart(request),
    ...(request.charts ?? []).map(({ name, title }) => `![${plain(title)}](${chartFile(name)})`),
    '## Windows',
    windowTable(request),
    ...segmentsPart(request),
    ...classesPart(request),
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
  'classes',
  'segments',
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
    whole('limits', [rulesTable(request), ...unansweredPart(request)].join('\n\n')),
    whole('moved', movedPart(request).join('\n\n')),
    windowsSection(request, chartsAt(source)),
    whole('segments', segmentsPart(request).join('\n\n')),
    whole('classes', classesPart(request).join('\n\n')),
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

/** Each breached rule with its limit, and what chance alone reaches. */
const rulesTable = ({ verdict: { findings } }: RetrainRequest): string =>
  findings.length === 0
    ? ''
    : table(
        ['rule', 'of', 'value', 'limit', 'by chance', 'rows'],
        findings
          .slice(0, MAX_FINDINGS)
          .map(({ rule, metric, variable, value, compared, op, limit, noise, sample }) => [
            plain(rule),
            plain(heldToLimit(variable === undefined ? metric : `${metric} of ${variable}`, compared)),
            compared === undefined
              ? figure(value)
              : `${figure(value)} (${figure(compared.figure)} against ${figure(compared.against)})`,
            `${plain(op)} ${figure(limit)}`,
            figure(noise),
            count(sample),
          ]),
      );

/** What the limit is about: the figure itself, what it lost, or how far a segment lies from all rows. */
function heldToLimit(what: string, compared: Compared | undefined): string {
  if (compared === undefined) return what;
  if (compared.as === 'segment') return `${what}, distance from all`;
  return `${compared.as === 'relative-decay' ? 'relative' : 'absolute'} decay of ${what}`;
}

/** Rules that had no say in this. */
function unansweredPart({ verdict: { unanswered = [] } }: RetrainRequest): string[] {
  if (unanswered.length === 0) return [];
  const rows = unanswered.map(({ rules, reason }) => `- ${plain(rules.join(', '))}: ${plain(reason)}`);
  return [`Rules that could not be evaluated:\n\n${rows.join('\n')}`];
}

/** How each class is found again, beside the window before. */
function classesPart({ verdict, windows }: RetrainRequest): string[] {
  const now = verdict.metrics.classification?.recall;
  if (now === undefined) return [];
  const before = windows.at(-1)?.metrics.classification?.recall ?? {};
  const rows = Object.entries(now).slice(0, MAX_INPUTS);
  return [
    '## Classes',
    table(
      ['class', 'recall', 'recall before'],
      rows.map(([name, recall]) => [plain(name), figure(recall), figure(before[name])]),
    ),
  ];
}

/** Where the model does worst, if the policy asks for segments. */
function segmentsPart({ verdict: { segments = [] } }: RetrainRequest): string[] {
  if (segments.length === 0) return [];
  const rows = segments.map(({ where, metric, value, interval, overall, labelled, eventRate }) => [
    plain(
      Object.entries(where)
        .map(([name, bin]) => `${name} ${bin}`)
        .join(', '),
    ),
    metric,
    figure(value),
    `${figure(interval[0])} to ${figure(interval[1])}`,
    figure(overall),
    count(labelled),
    figure(eventRate),
  ]);
  return [
    '## Worst segments',
    table(['segment', 'metric', 'value', '95 % interval', 'of all', 'labelled', 'event rate'], rows),
  ];
}

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

function snapshotTable({ snapshot, verdict: { metrics } }: RetrainRequest): string {
  const isOfEvents = metrics.regression === undefined && metrics.classification === undefined && snapshot.labels > 0;
  const rate = isOfEvents ? ` (${((100 * snapshot.events) / snapshot.labels).toFixed(1)} % events)` : '';
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

/** What the gate compares: AUC, a share of the champion's mean absolute error where a number is predicted, accuracy of several classes. */
function gateOf({ gateMargin, gateZ }: RetrainSource['file']['retrain'], metrics: WindowMetrics): string {
  const isOfEvents = metrics.regression === undefined && metrics.classification === undefined;
  const figureOf = isOfEvents ? 'AUC' : 'accuracy';
  const margin =
    metrics.regression === undefined
      ? `candidate ${figureOf} at least ${gateMargin} above the champion's on the same held-out rows`
      : `candidate mean absolute error at least ${Number((100 * gateMargin).toPrecision(4))} % below the champion's on the same held-out rows`;
  const paired = isOfEvents ? 'DeLong, paired' : 'paired';
  if (gateZ !== undefined)
    return `${margin}, and their difference at least ${gateZ} of its standard errors above 0 (${paired})`;
  return isOfEvents ? `${margin}; the Job's log gives the difference with its paired interval (DeLong)` : margin;
}

/** What chance does to the figure that the gate compares; the part that is held out knows it less well. */
function gateNoise({ metrics: { aucInterval, labelled }, window }: RetrainRequest['verdict']): string[][] {
  if (!aucInterval) return [];
  const half = figure((aucInterval[1] - aucInterval[0]) / 2);
  return [
    [
      'Chance',
      `the champion's own AUC is known to ±${half} on the ${counted(labelled, 'labelled row')} of ${plain(window.period)} (95 %), and less well on the held-out part of them; both models meet the same rows, so their difference is surer`,
    ],
  ];
}

function training({ change, request, file }: RetrainSource): string {
  return table(
    ['what', 'value'],
    [
      ['Image', `\`${file.retrain.image}\``],
      ['Champion', `version ${request.version}`],
      ['Gate', gateOf(file.retrain, request.verdict.metrics)],
      ...gateNoise(request.verdict),
      ['Seed', String(seedOf(change))],
    ],
  );
}
