import { asFairwayError } from '@fairway/core';
import type { Answer, Answers, NotifierAnswer } from '../../ports.ts';
import type { SasServer } from '../../sources/sas/client.ts';
import { addressOf, checkId, type SasAddress } from '../../sources/sas/identity.ts';
import { refusalOf, refused } from '../../sources/sas/refusal.ts';
import { evidenceOf, modelNow, propertyOf, TOLD, writeProperties } from './evidence.ts';

/** A workflow that does not wait yet is one where a person has something to do first. */
const NOT_WAITING_MS = 60_000;

export type SasAnswers = {
  readonly server: SasServer;
  /** Name of the message event at which workflows wait. */
  readonly message: string;
};

/**
 * Tells SAS how a deployment ended: as properties of the model, and, where the approval came with a workflow process, as the
 * message that it waits for. Properties first, so that the workflow can read them when it goes on.
 */
export function sasAnswers({ server, message }: SasAnswers): Answers {
  return {
    answer: async (answer, to) => {
      const address = addressOf(to ?? '');
      if (address === undefined) {
        return {
          kind: 'dead',
          reason: 'answerTo is no address of SAS: it is sas:<project id>/<model id>[/<process id>].',
        };
      }
      try {
        return await tell(server, message, address, answer);
      } catch (error) {
        const { message: reason, disposition } = asFairwayError(error);
        return disposition === 'retryable' ? { kind: 'retry', reason } : { kind: 'dead', reason };
      }
    },
  };
}

async function tell(server: SasServer, message: string, address: SasAddress, answer: Answer): Promise<NotifierAnswer> {
  const { modelId, processId } = address;
  const model = await modelNow(server, address);
  if (model !== undefined && propertyOf(model, TOLD) === answer.idempotencyKey) return { kind: 'accepted' };
  const evidence = await writeEvidence(server, address, answer);
  if (processId === undefined) return accepted(evidence.reason);
  const sent = await send(server, processId, message, answer);
  if (sent.kind !== 'accepted') return sent;
  // A death between the message and this is seen as a workflow that does not wait: tried for a day, and nothing is lost.
  if (evidence.written) await writeProperties(server, modelId, { [TOLD]: answer.idempotencyKey });
  return accepted([evidence.reason, sent.reason].filter((one) => one !== undefined).join(' ') || undefined);
}

type Written = { readonly written: boolean; readonly reason?: string };

/** A client that may not write models may still continue a workflow, and somebody waits for that. */
async function writeEvidence(server: SasServer, address: SasAddress, answer: Answer): Promise<Written> {
  const { modelId, processId } = address;
  try {
    if ((await writeProperties(server, modelId, evidenceOf(answer))) === 'written') return { written: true };
    return { written: false, reason: `Model ${modelId} is gone from SAS, so it has no properties to say this.` };
  } catch (error) {
    const { message: reason, detail } = asFairwayError(error);
    const status = Number(detail['status']);
    if (processId === undefined || !(status >= 400 && status < 500)) throw error;
    return { written: false, reason };
  }
}

const accepted = (reason: string | undefined): NotifierAnswer =>
  reason === undefined ? { kind: 'accepted' } : { kind: 'accepted', reason };

async function send(server: SasServer, processId: string, message: string, answer: Answer): Promise<NotifierAnswer> {
  const id = checkId('A workflow process', processId);
  const path = `/modelManagement/workflow/processes/${id}/receivedMessages`;
  const said = await server.call('POST', path, { body: { json: { name: message, variables: variablesOf(answer) } } });
  if (said.status >= 200 && said.status < 300) return { kind: 'accepted' };
  const refusal = refusalOf(said);
  if (said.status === 404 && !refusal.isPage) {
    return { kind: 'accepted', reason: `Workflow process ${id} is gone from SAS, so nobody waits for this answer.` };
  }
  if (said.status === 409) {
    return {
      kind: 'retry',
      afterMs: NOT_WAITING_MS,
      reason: `Workflow process ${id} does not wait for the message ${message} (SAS_MESSAGE): ${refusal.says}.`,
    };
  }
  throw refused(`the message to workflow process ${id}`, refusal);
}

/** As variables of a SAS workflow are written; its gateways compare them as texts. */
function variablesOf(answer: Answer): unknown[] {
  const { fairwayAt: _at, ...told } = evidenceOf(answer);
  return Object.entries({ ...told, fairwayEvent: answer.eventId }).map(([name, value]) => ({
    name,
    value,
    scope: 'local',
    type: 'string',
    version: 1,
  }));
}
