import type { Verdict } from '@fairway/core';
import { FairwayError, pause } from '@fairway/core';
import type { Loan } from '@fairway/example-home-equity';
import { callJson, patientJson } from '../stack/http.ts';
import { MODEL, type Stack } from '../stack/stack.ts';
import { serviceUrl } from './model-service.ts';
import type { Quarter } from './periods.ts';
import { bar, type Screen } from './screen.ts';
import { sendQuarter } from './traffic.ts';

/** `dropped` counts calls by reason; a call of this story holds up to 20 predictions. */
type Account = { stored: number; labelled: number; dropped: Readonly<Record<string, number>> };

/** How long nothing more must have been stored before calls that an agent told as killed are given up. */
const QUIET_MS = 3_000;

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
  const stored = (await untilStored(stack, play.storedBefore + predictions.length)) - play.storedBefore;
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

/** Waits until all is stored, or nothing more comes and an agent told what its kill lost; answers what is stored. */
async function untilStored(stack: Stack, expected: number): Promise<number> {
  const deadline = Date.now() + 90_000;
  let stored = -1;
  let changedAt = Date.now();
  while (Date.now() < deadline) {
    const now = await account(stack);
    if (now.stored >= expected) return now.stored;
    if (now.stored !== stored) [stored, changedAt] = [now.stored, Date.now()];
    if (killedCalls(now) > 0 && Date.now() - changedAt > QUIET_MS) return stored;
    await pause(100);
  }
  throw new FairwayError(
    'stack.failed',
    `Only ${stored} of ${expected} predictions are stored after 90 s: see the recorder's and the agent's logs.`,
  );
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
