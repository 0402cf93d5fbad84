import { type Change, END_PHASES, FairwayError, pause, type Phase } from '@fairway/core';
import { callJson, expectJson, isPassing, patientJson } from '../stack/http.ts';
import { MODEL, type Stack } from '../stack/stack.ts';

/** What the people of the demo's bank do: the workflow approves, and alice merges. */

/** The registry's workflow says that a version is approved. */
export async function approve(stack: Stack, version: string, environment: string, actor: string): Promise<Change> {
  const body = {
    eventId: `workflow:${MODEL}:${version}:${environment}`,
    model: MODEL,
    version,
    environment,
    actor,
    evidence: 'Champion of project home-equity, validated by model risk',
  };
  const { change } = await patientJson<{ change: Change }>('The writer', `${stack.urls.writer}/v1/approvals`, {
    token: stack.tokens.writer,
    body,
  });
  return change;
}

/** Waits until a change has reached one of `phases`; a change that ends another way is an error with its reason. */
export async function untilPhase(
  stack: Stack,
  id: string,
  phases: readonly Phase[],
  onPhase: (change: Change) => void = () => {},
  timeoutMs = 120_000,
): Promise<Change> {
  const deadline = Date.now() + timeoutMs;
  let last = '';
  for (;;) {
    const change = await readChange(stack, id);
    if (change !== undefined && change.phase !== last) onPhase(change);
    last = change?.phase ?? last;
    if (change !== undefined && phases.includes(change.phase)) return change;
    if (change !== undefined && END_PHASES.includes(change.phase)) {
      throw new FairwayError(
        'stack.failed',
        `Change ${id} ended as ${change.phase}: ${change.reason ?? 'no reason given'}`,
      );
    }
    if (Date.now() > deadline) {
      throw new FairwayError(
        'stack.failed',
        `Change ${id} is still ${last || 'unknown'} after ${timeoutMs / 1000} s (${change?.reason ?? 'no reason given'}).`,
      );
    }
    await pause(150);
  }
}

/** A writer that is just restarting has no answer for a moment. */
async function readChange(stack: Stack, id: string): Promise<Change | undefined> {
  try {
    return (
      await expectJson<{ change: Change }>('The writer', `${stack.urls.writer}/v1/changes/${id}`, {
        token: stack.tokens.writer,
      })
    ).change;
  } catch (error) {
    if (isPassing(error)) return undefined;
    throw error;
  }
}

/** Alice merges a pull request on the forge, bound to the commit she has read. */
export async function merge(stack: Stack, change: Change): Promise<void> {
  const { number, headSha } = change.pullRequest ?? { number: 0, headSha: '' };
  const deadline = Date.now() + 30_000;
  const url = `${stack.urls.forge}/api/v1/repos/${stack.repository}/pulls/${number}/merge`;
  for (;;) {
    const { status, body } = await callJson<{ message?: string }>('The forge', url, {
      headers: { authorization: `token ${stack.tokens.person}` },
      body: { Do: 'merge', head_commit_id: headSha, delete_branch_after_merge: true },
    }).catch(() => ({ status: 503, body: { message: 'the forge does not answer' } }));
    // A forge that died after the merge and before its answer says at the next try that there is nothing to merge.
    if (status < 300 || (await isMerged(stack, number))) return;
    if (status < 500 || Date.now() > deadline) {
      throw new FairwayError(
        'forge.refused',
        `Pull request #${number} could not be merged: ${body?.message ?? status}.`,
      );
    }
    await pause(300);
  }
}

async function isMerged(stack: Stack, number: number): Promise<boolean> {
  const url = `${stack.urls.forge}/api/v1/repos/${stack.repository}/pulls/${number}`;
  const headers = { authorization: `token ${stack.tokens.person}` };
  return (await patientJson<{ merged: boolean }>('The forge', url, { headers })).merged;
}
