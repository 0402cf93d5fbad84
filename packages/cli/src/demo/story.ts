import type { Change, Verdict } from '@fairway/core';
import { FairwayError, pause } from '@fairway/core';
import { type Loan, trainHomeEquity } from '@fairway/example-home-equity';
import { patientJson } from '../stack/http.ts';
import { MODEL, type Stack } from '../stack/stack.ts';
import type { StoryData } from './data.ts';
import { untilDrained } from './model-service.ts';
import { approve, merge, untilPhase } from './people.ts';
import { lastQuarters, type Quarter } from './periods.ts';
import { untilTold } from './told.ts';
import { account, killedCalls, playQuarter, windows } from './quarter.ts';
import { type Screen, seconds, type Tone } from './screen.ts';
import { type Summary, summaryPullRequests, summaryWindow } from './summary.ts';

const ENVIRONMENT = 'prod';
const ACTOR = 'Rosa Diaz (model risk)';
const TONES: Readonly<Record<Verdict['state'], Tone>> = {
  healthy: 'good',
  warning: 'warn',
  alert: 'bad',
  insufficient: 'quiet',
};

/** How the story went: the live version, and what was sent and stored. */
type Progress = { version: string; sent: number; stored: number; played: number; retrained: boolean };

export type Storyteller = {
  readonly stack: Stack;
  readonly screen: Screen;
  readonly data: StoryData;
  readonly seed: number;
  readonly now: () => number;
  /** Time spent before the story proper, such as starting the stack. */
  readonly stages: { stage: string; ms: number }[];
};

/** Tells the whole story on a running stack: approval → live → decay → retrained → live again → better. */
export async function tellStory(teller: Storyteller): Promise<Summary> {
  const { screen, data } = teller;
  const startedAt = teller.now();
  const progress: Progress = { version: '1', sent: 0, stored: 0, played: 0, retrained: false };
  await stage(teller, 'v1 trained and registered', () => trainFirst(teller));
  await deploy(teller, '1');
  const calendar = lastQuarters(teller.now(), data.quarters.length + data.spare);
  for (const [i, rows] of data.quarters.entries()) await playAndReact(teller, progress, calendar[i] as Quarter, rows);
  const last = data.quarters.at(-1);
  if (progress.retrained && progress.played === 0 && last !== undefined) {
    screen.say(
      '      The data holds no later quarter: its last one is played once more, now for the retrained model.',
      'quiet',
    );
    await playAndReact(teller, progress, calendar.at(-1) as Quarter, last);
  }
  if (!progress.retrained) screen.say('      No window raised an alert, so there was nothing to retrain.', 'warn');
  return summarise(teller, progress, startedAt);
}

async function trainFirst({ stack, data, seed }: Storyteller): Promise<string> {
  const { metrics } = await trainHomeEquity({
    rows: data.training,
    seed,
    registryDir: stack.registryDir,
    version: '1',
  });
  return `${data.training.length} loans, held-out AUC ${metrics.auc.toFixed(3)}, KS ${metrics.ks.toFixed(3)}`;
}

/** Runs a stage with its line and its time; `work` answers what to say about it. */
async function stage(
  teller: Storyteller,
  name: string,
  work: () => Promise<string>,
  tone: Tone = 'good',
): Promise<void> {
  const startedAt = teller.now();
  teller.screen.now(`   …  ${name}`);
  const told = await work();
  const ms = teller.now() - startedAt;
  teller.stages.push({ stage: name, ms });
  teller.screen.say(`   ✔  ${name.padEnd(34)} ${seconds(ms).padStart(7)}   ${told}`, tone);
}

/** approved → proposed → merged → live. */
async function deploy(teller: Storyteller, version: string): Promise<void> {
  const { stack, screen } = teller;
  let change: Change | undefined;
  await stage(teller, `v${version} approved`, async () => {
    change = await approve(stack, version, ENVIRONMENT, ACTOR);
    return `by ${ACTOR} for ${ENVIRONMENT}`;
  });
  const { id } = change as unknown as Change;
  await stage(teller, `v${version} pull request`, async () => {
    change = await untilPhase(stack, id, ['proposed'], ({ phase }) => screen.now(`   …  v${version} ${phase}`));
    return change.pullRequest?.url ?? '';
  });
  await stage(teller, `v${version} merged`, () => mergeAndWait(stack, change as unknown as Change));
  await stage(teller, `v${version} synced and proven live`, async () => {
    const live = await untilPhase(stack, id, ['live'], ({ phase }) => screen.now(`   …  v${version} ${phase}`));
    await untilDrained(stack, ENVIRONMENT);
    await stack.processes();
    return `${live.digest?.slice(0, 19) ?? ''} answers in ${ENVIRONMENT}`;
  });
}

async function mergeAndWait(stack: Stack, change: Change): Promise<string> {
  await merge(stack, change);
  const merged = await untilPhase(stack, change.id, ['merged', 'syncing', 'verifying', 'live']);
  return `#${merged.pullRequest?.number} by alice, commit ${merged.pullRequest?.mergeCommit?.slice(0, 10) ?? ''}`;
}

async function playAndReact(
  teller: Storyteller,
  progress: Progress,
  quarter: Quarter,
  rows: readonly Loan[],
): Promise<void> {
  const { stack, screen } = teller;
  const startedAt = teller.now();
  const { sent, stored, verdict } = await playQuarter({
    stack,
    screen,
    environment: ENVIRONMENT,
    version: progress.version,
    quarter,
    rows,
    storedBefore: progress.stored,
  });
  progress.sent += sent;
  progress.stored += stored;
  progress.played += 1;
  const ms = teller.now() - startedAt;
  teller.stages.push({ stage: `${quarter.period} on v${progress.version}`, ms });
  const name = `${quarter.period}  ${verdict.state}`;
  screen.say(
    `   ${verdict.state === 'healthy' ? '✔' : verdict.state === 'alert' ? '✘' : '!'}  ${name.padEnd(34)} ${seconds(ms).padStart(7)}   ${verdictText(verdict)}`,
    TONES[verdict.state],
  );
  if (stored < sent) {
    screen.say(
      `      ${sent - stored} predictions were in the memory of an agent that was killed: told as lost.`,
      'warn',
    );
  }
  if (verdict.state === 'alert' && !progress.retrained) await retrain(teller, progress);
}

function verdictText({ metrics, findings }: Verdict): string {
  const figures = `AUC ${metrics.auc?.toFixed(3) ?? '-'}, KS ${metrics.ks?.toFixed(3) ?? '-'}, ${metrics.predictions} predictions`;
  if (findings.length === 0) return figures;
  const told = [...new Set(findings.map(({ rule }) => rule))].map((rule) => {
    const variables = findings.flatMap((finding) => (finding.rule === rule ? (finding.variable ?? []) : []));
    return variables.length === 0 ? rule : `${rule} (${variables.join(', ')})`;
  });
  return `${figures}: ${told.join(', ')}`;
}

/** alert → retrain pull request and card → merged → Job → registered → approved again. */
async function retrain(teller: Storyteller, progress: Progress): Promise<void> {
  const { stack, screen } = teller;
  let change: Change | undefined;
  await stage(teller, 'retrain pull request', async () => {
    change = await untilRetrainProposed(stack);
    return change.pullRequest?.url ?? '';
  });
  await stage(teller, 'retrain merged', () => mergeAndWait(stack, change as unknown as Change));
  progress.retrained = true;
  await stage(teller, 'retrained on the on-field snapshot', async () => {
    const { id } = change as unknown as Change;
    change = await untilPhase(stack, id, ['live', 'failed'], ({ phase }) => screen.now(`   …  retraining: ${phase}`));
    return change.reason ?? 'candidate registered';
  });
  // A candidate that the gate refused, or a Job that failed: the champion stays, and the story goes on with it.
  if ((change as unknown as Change).phase === 'failed') {
    screen.say(`      No better model came of it: version ${progress.version} stays live.`, 'warn');
    return;
  }
  const version = String(Number(progress.version) + 1);
  await deploy(teller, version);
  Object.assign(progress, { version, played: 0 });
}

async function untilRetrainProposed(stack: Stack): Promise<Change> {
  const url = `${stack.urls.writer}/v1/changes?model=${MODEL}&kind=retrain`;
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    const { changes } = await patientJson<{ changes: Change[] }>('The writer', url, { token: stack.tokens.writer });
    const found = changes.find(({ phase }) => phase !== 'requested');
    if (found !== undefined) return untilPhase(stack, found.id, ['proposed']);
    await pause(150);
  }
  throw new FairwayError(
    'stack.failed',
    'The alert led to no retrain pull request within 60 s: see the logs of monitor and writer.',
  );
}

async function summarise(teller: Storyteller, progress: Progress, startedAt: number): Promise<Summary> {
  const { stack, data, stages, now } = teller;
  teller.screen.now('   …  waiting until everybody was told');
  const cardsUnderWay = await untilTold(stack);
  const { changes } = await patientJson<{ changes: Change[] }>('The writer', `${stack.urls.writer}/v1/changes`, {
    token: stack.tokens.writer,
  });
  const booked = await account(stack);
  const { cards } = await patientJson<{ cards: Summary['cards'] }>('The Teams receiver', `${stack.urls.cards}/cards`);
  return {
    data: data.source,
    stages,
    totalMs: now() - startedAt,
    pullRequests: summaryPullRequests(changes),
    windows: (await windows(stack)).map(summaryWindow),
    sent: progress.sent,
    stored: booked.stored,
    killedCalls: killedCalls(booked),
    cardsUnderWay,
    cards: cards.map(({ event, title, valid, at }) => ({ event, title, valid, at })),
  };
}
