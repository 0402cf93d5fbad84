import { FairwayError } from '@fairway/core';
import type { SasServer } from './client.ts';
import { collect } from './paging.ts';
import { processSchema, type SasProject, stateOf } from './wire.ts';

/**
 * The workflow process that runs for the project; undefined when there is none, when there are several (a message could then
 * continue the wrong one), and when the client may not see processes: the answer is told by model properties all the same.
 */
export async function runningProcess(server: SasServer, project: SasProject): Promise<string | undefined> {
  const running = await runningProcesses(server, project).catch((error: unknown) => {
    if (error instanceof FairwayError && [400, 403, 404].includes(Number(error.detail['status']))) return [];
    throw error;
  });
  return running.length === 1 ? running[0] : undefined;
}

export async function runningProcesses(server: SasServer, { id, name }: SasProject): Promise<string[]> {
  const processes = await collect(server, {
    path: '/modelManagement/workflowProcesses',
    filter: `eq(associations.solutionObjectId,"${id}")`,
    item: processSchema,
    what: `to list the workflow processes of project ${name}`,
  });
  return processes
    .filter(({ state }) => stateOf(state) === 'inprogress')
    .filter(({ associations }) => associations.some(({ solutionObjectId }) => solutionObjectId === id))
    .map((process) => process.id);
}
