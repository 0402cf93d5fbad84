import type { Verdict } from '@fairway/core';
import { FairwayError, pause } from '@fairway/core';
import type { Loan } from '@fairway/example-home-equity';
import type { LedgerAccount } from '../commands/account-text.ts';
import { agentsOf, readAgent } from '../commands/agents-held.ts';
import { connection } from '../commands/connection.ts';
import { callJson, patientJson } from '../stack/http.ts';
import { MODEL, type Stack } from '../stack/stack.ts';
import { serviceUrl } from './model-service.ts';
import type { Quarter } from './periods.ts';
import { bar, type Screen } from './screen.ts';
import { INSTANCES_PER_REQUEST, sendQuarter } from './traffic.ts';
import { untilStored } from './until-stored.ts';

/** `dropped` counts calls by reason; a call of this story holds up to 20 predictions. */
type Account = { stored: number; labelled: number; dropped: Readonly<Record<string, number>> };

/** What one quarter needs to be played. */
export type Play = {
  readonly stack: Stack;
  readonly screen: Screen;
  readonly environment: string;
  readonly version: string;
  readonly quarter: Quarter;
  readonly rows: readonly Loan[];
  /** Predictions that were stored before this quarter. */
  readonly storedBefore: number;
};

/** Traffic, then the recorder's word that all is stored, then late labels, then the monitor's verdict. */
export async function playQuarter(play: Play): Promise<{ sent: number; stored: number; verdict: Verdict }> {
  const { stack, screen, quarter, rows } = play;
  const url = () => serviceUrl(stack, play.environment);
  const { predictions } = await sendQuarter(url, MODEL, rows, quarter, (done) =>
    screen.now(`      ${quarter.period}  scoring ${bar(done, rows.length)} ${done} predictions`),
  );
  screen.now(`      ${quarter.period}  waiting until all ${predictions.length} are stored`);
  const stored = (await untilAllStored(stack, play.storedBefore + predictions.length)) - play.storedBefore;
  screen.now(`      ${quarter.period}  true outcomes arrive`);
  await sendLabels(
    stack,
    predictions.map(({ id, row }) => ({ id, label: row.BAD })),
  );
  screen.now(`      ${quarter.period}  waiting for the verdict`);
  return { sent: predictions.length, stored, verdict: await untilJudged(play, stored) };
}

/** What the recorder has stored of the model. */
export const account = (stack: Stack): Promise<Account> =>
  patientJson('The recorder', `${stack.urls.recorder}/v1/account?model=${MODEL}`, { token: stack.tokens.monitor });

/** Calls that were in the memory of an agent when it was killed, at most. */
export const killedCalls = ({ dropped }: Account): number => dropped['killed'] ?? 0;

function untilAllStored(stack: Stack, expected: number): Promise<number> {
  const booked = async () => {
    const now = await account(stack);
    return { stored: now.stored, killedCalls: killedCalls(now) };
  };
  const held = () => heldCalls(stack).catch(() => undefined);
  return untilStored({ expected, perCall: INSTANCES_PER_REQUEST, booked, held, now: Date.now, pause });
}

/** Calls that the agents and the queue still hold; undefined where one of them does not answer. */
async function heldCalls(stack: Stack): Promise<number | undefined> {
  const at = connection(stack.dir, {});
  const ledger = await patientJson<Pick<LedgerAccount, 'epochs'>>(
    'The recorder',
    `${stack.urls.recorder}/v1/account/epochs?model=${MODEL}`,
    { token: stack.tokens.monitor },
  );
  const agents = await Promise.all((await agentsOf(at)).map((url) => readAgent(at, ledger, url)));
  if (agents.length === 0 || agents.some(({ epoch }) => epoch === undefined)) return undefined;
  return agents.reduce((sum, { inFlight = 0, inherited = 0 }) => sum + inFlight + inherited, 0);
}

async function sendLabels(stack: Stack, labels: readonly { id: string; label: number }[]): Promise<void> {
  const body = labels.map((label) => JSON.stringify(label)).join('\n');
  const deadline = Date.now() + 60_000;
  for (;;) {
    const answer = await callJson<{ detail?: string }>('The recorder', `${stack.urls.recorder}/v1/labels`, {
      token: stack.tokens.monitor,
      body,
      headers: { 'content-type': 'application/x-ndjson' },
      timeoutMs: 60_000,
    }).catch(() => ({ status: 503, body: { detail: 'the recorder does not answer' } }));
    if (answer.status < 300) return;
    // Labels may be sent again: a repeated label changes nothing.
    if (answer.status < 500 || Date.now() > deadline) {
      throw new FairwayError(
        'stack.failed',
        `The recorder refused the labels: ${answer.body?.detail ?? answer.status}`,
      );
    }
    await pause(300);
  }
}

async function untilJudged({ stack, quarter, version, environment }: Play, labelled: number): Promise<Verdict> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    const found = (await windows(stack)).find(
      ({ window }) =>
        window.period === quarter.period && window.version === version && window.environment === environment,
    );
    if (found !== undefined && found.metrics.labelled >= labelled) return found;
    await pause(150);
  }
  throw new FairwayError('stack.failed', `The monitor gave no verdict on ${quarter.period} within 60 s: see its log.`);
}

/** The newest verdict of each window, oldest window first. */
export async function windows(stack: Stack): Promise<Verdict[]> {
  const url = `${stack.urls.monitor}/v1/windows?model=${MODEL}`;
  return (await patientJson<{ windows: Verdict[] }>('The monitor', url, { token: stack.tokens.monitor })).windows;
}
