import { collection, link, sasError, stamp, typed } from './dialect.ts';
import type { Route } from './route.ts';

/** Workflow processes and publishes: `/modelManagement` and `/modelPublish`. */
export const MANAGEMENT_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: /^\/modelManagement\/workflowProcesses$/,
    answer: (sas, { query }) => {
      const [, wanted] = /^eq\(associations\.solutionObjectId,"(.*)"\)$/.exec(query.get('filter') ?? '') ?? [];
      const items = sas.state.processes
        .filter(({ projectId }) => wanted === undefined || sas.ignoresFilters || projectId === wanted)
        .map(({ id, state, projectId }) => ({
          id,
          name: 'Fairway approval',
          state,
          associations: [{ processId: id, solutionObjectType: 'MM_Project', solutionObjectId: projectId }],
          links: [link('self', `/modelManagement/workflowProcesses/${id}`)],
        }));
      return collection(sas.dialect, {
        path: '/modelManagement/workflowProcesses',
        name: 'workflowProcesses',
        items,
        query,
        limit: sas.pageSize,
      });
    },
  },
  {
    method: 'POST',
    path: /^\/modelManagement\/workflow\/processes\/([^/]+)\/receivedMessages$/,
    answer: ({ state, dialect }, { params, path, body }) => {
      const process = state.processes.find(({ id }) => id === params[0]);
      if (process === undefined || process.state !== 'In Progress') {
        return sasError(dialect, 404, 74_052, 'No process exists with the specified ID.', path);
      }
      const { name, variables } = body as { name: string; variables: Array<{ name: string; value: unknown }> };
      if (process.waitsFor !== name) {
        return sasError(
          dialect,
          409,
          0,
          'There are no active intermediate catching events for the specified message.',
          path,
        );
      }
      process.waitsFor = undefined;
      const values = Object.fromEntries(variables.map((variable) => [variable.name, variable.value]));
      process.received.push({ name, variables: values });
      return { status: 204 };
    },
  },
  {
    method: 'GET',
    path: /^\/modelPublish\/models$/,
    answer: (sas, { query }) => {
      const [, wanted] = /^eq\(modelId,"(.*)"\)$/.exec(query.get('filter') ?? '') ?? [];
      const items = sas.state.publishes
        .filter(({ modelId }) => wanted === undefined || sas.ignoresFilters || modelId === wanted)
        .map(({ id, modelId, states, modifiedAt }) => ({
          id,
          modelId,
          name: `publish_${id.slice(0, 8)}`,
          state: states[0],
          modifiedTimeStamp: stamp(sas.dialect, modifiedAt),
        }));
      return collection(sas.dialect, {
        path: '/modelPublish/models',
        name: 'publishModels',
        items,
        query,
        limit: sas.pageSize,
      });
    },
  },
  {
    method: 'GET',
    path: /^\/modelPublish\/models\/([^/]+)$/,
    answer: ({ state, dialect }, { params, path }) => {
      const publish = state.publishes.find(({ id }) => id === params[0]);
      if (publish === undefined) return sasError(dialect, 404, 0, 'No such publish.', path);
      const [now] = publish.states;
      if (publish.states.length > 1) publish.states.shift();
      return {
        status: 200,
        headers: typed(dialect, 'application/vnd.sas.models.publishing.publish+json'),
        // On success as well.
        json: {
          id: publish.id,
          modelId: publish.modelId,
          state: now,
          errorResponse: {},
          modifiedTimeStamp: stamp(dialect, publish.modifiedAt),
        },
      };
    },
  },
];
