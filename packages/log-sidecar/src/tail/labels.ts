import { FairwayError, type GroundTruth, urlOrigin } from '@fairway/core';

/** Labels that the recorder will not take however often they come, and why the first of them. */
export type RefusedLabels = { readonly count: number; readonly reason: string };

const TIMEOUT_MS = 30_000;
/** What the recorder says of the labels. Any other answer is about the way to it, which somebody can mend: a token, an address, a limit. */
const ABOUT_THE_LABELS: ReadonlySet<number> = new Set([400, 413, 415, 422]);

/**
 * Sends labels to the recorder at `url` (`POST /v1/labels`, docs/accounting.md); the same ones again change nothing there. What it refuses for
 * good comes back. Throws `monitor.unavailable` where they are to be sent again: a page to sign in at is no recorder, whatever its status.
 */
export const labelSender = (url: string, token: string) =>
  async function send(labels: readonly GroundTruth[]): Promise<RefusedLabels | undefined> {
    const answer = await post(url, token, labels.map((one) => JSON.stringify(one)).join('\n'));
    const told = readAnswer(await answer.text());
    if (answer.ok && told.count !== undefined) return told.count > 0 ? { ...told, count: told.count } : undefined;
    const sentence = `The recorder at ${urlOrigin(url)} answered ${answer.status} to labels`;
    if (answer.ok) throw unavailable(`${sentence}, but not as a recorder does; check TAIL_RECORDER_URL.`);
    if (!ABOUT_THE_LABELS.has(answer.status)) throw unavailable(`${sentence}.`);
    return { count: labels.length, reason: `${sentence}: ${told.reason}` };
  };

const unavailable = (sentence: string) => new FairwayError('monitor.unavailable', sentence);

/** A redirect is an answer: labels and token go to the recorder alone. */
const post = (url: string, token: string, body: string): Promise<Response> =>
  fetch(`${url.replace(/\/$/, '')}/v1/labels`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
    body,
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: Error) => {
    // Its own message says only that it failed.
    const { code, message } = (error.cause ?? error) as NodeJS.ErrnoException;
    throw unavailable(`The recorder at ${urlOrigin(url)} does not take labels (${code ?? message}).`);
  });

/** `count` is undefined of an answer that is none of the recorder's. */
function readAnswer(text: string): { readonly count: number | undefined; readonly reason: string } {
  try {
    const { refusedTotal, refused, detail } = (JSON.parse(text) ?? {}) as Record<string, unknown>;
    const [first] = Array.isArray(refused) ? (refused as Array<{ reason?: unknown }>) : [];
    const reason = first?.reason ?? detail;
    return {
      count: typeof refusedTotal === 'number' ? refusedTotal : undefined,
      reason: typeof reason === 'string' ? reason.slice(0, 300) : 'no reason',
    };
  } catch {
    return { count: undefined, reason: 'no reason' };
  }
}
