import { resolve } from 'node:path';
import { FairwayError } from '@fairway/core';
import { readState, type StackState } from '../stack/folder.ts';

export const DEFAULT_DIR = '.fairway/stack';

/** Where the services are and the tokens for them: a running `fairway up`, or an installation named by the environment. */
export type Connection = {
  readonly writer: string;
  readonly writerToken: string;
  readonly monitor?: string;
  readonly monitorToken?: string;
  readonly recorder?: string;
  /** Queue of capture packs: key prefix on Redis, schema on PostgreSQL. */
  readonly queue?: { readonly url: string; readonly prefix: string };
  readonly state?: StackState;
};

/**
 * Finds the services: `FAIRWAY_WRITER_URL` + `FAIRWAY_WRITER_TOKEN` (and `FAIRWAY_MONITOR_URL`, `FAIRWAY_MONITOR_TOKEN`,
 * `FAIRWAY_RECORDER_URL`, `FAIRWAY_QUEUE_URL`, `FAIRWAY_QUEUE_PREFIX`) when set, else the stack that runs in `dir`.
 */
export function connection(dir: string, env: NodeJS.ProcessEnv): Connection {
  const { FAIRWAY_WRITER_URL: writer, FAIRWAY_WRITER_TOKEN: writerToken } = env;
  for (const name of ['FAIRWAY_WRITER_URL', 'FAIRWAY_MONITOR_URL', 'FAIRWAY_RECORDER_URL']) checkUrl(name, env[name]);
  if (writer !== undefined && writerToken !== undefined) {
    const { FAIRWAY_MONITOR_URL: monitor, FAIRWAY_MONITOR_TOKEN: monitorToken, FAIRWAY_RECORDER_URL: recorder } = env;
    const { FAIRWAY_QUEUE_URL: url, FAIRWAY_QUEUE_PREFIX: prefix = 'fairway' } = env;
    return {
      writer,
      writerToken,
      ...(monitor && { monitor }),
      ...(monitorToken && { monitorToken }),
      ...(recorder && { recorder }),
      ...(url && { queue: { url, prefix } }),
    };
  }
  if ((writer ?? writerToken) !== undefined) {
    throw new FairwayError(
      'config.invalid',
      'FAIRWAY_WRITER_URL and FAIRWAY_WRITER_TOKEN belong together: set both or neither.',
    );
  }
  const state = readState(dir);
  const url = state?.processes.writer?.url;
  if (state === undefined || !url) {
    throw new FairwayError(
      'stack.failed',
      `No stack runs in ${resolve(dir)}: start one with "npx fairway up", or name its folder with --dir.`,
    );
  }
  const monitor = state.processes.monitor?.url;
  const recorder = state.processes.recorder?.url;
  return {
    writer: url,
    writerToken: state.tokens.writer,
    monitorToken: state.tokens.monitor,
    state,
    ...(monitor && { monitor }),
    ...(recorder && { recorder }),
    ...(state.queue && { queue: state.queue }),
  };
}

/** Without a scheme, `localhost:8080` would be taken for an address of a scheme named localhost. */
function checkUrl(name: string, value: string | undefined): void {
  if (!value || (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol))) return;
  throw new FairwayError(
    'config.invalid',
    `${name} is not usable: it must be a URL that starts with http:// or https://.`,
  );
}
