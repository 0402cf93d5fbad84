import type { AxiosResponse } from 'axios';
import { z } from 'zod';
import type { PolicyTest, PolicyTester } from '../ports.ts';
import { monitorClient, monitorUnavailable } from './client.ts';

/** A thousand windows, and the monitor's simulation. */
const TIMEOUT_MS = 300_000;

const answerSchema = z.object({
  windows: z.array(
    z.object({
      version: z.string(),
      environment: z.string(),
      period: z.string(),
      rows: z.number(),
      state: z.enum(['healthy', 'warning', 'alert', 'insufficient']),
      findings: z.array(z.object({ rule: z.string() })),
      retrain: z.enum(['opened', 'open']).nullable(),
    }),
  ),
  problems: z.array(z.string()),
  summary: z.string(),
});
const problemSchema = z.object({ code: z.string(), detail: z.string() });

/** The monitor's back-test (`POST /v1/backtests`). Throws `monitor.unavailable` when it does not answer, or not as expected. */
export function monitorPolicyTester(url: string, token: string): PolicyTester {
  const http = monitorClient(url, token, TIMEOUT_MS);
  return {
    test: async (model, policy, signal) => {
      try {
        return read(await http.post('/v1/backtests', { model, policy }, { signal, validateStatus: () => true }));
      } catch (error) {
        throw monitorUnavailable(url, 'test policies', error);
      }
    },
  };
}

function read({ status, data }: AxiosResponse<unknown>): PolicyTest {
  const answer = status === 200 ? answerSchema.safeParse(data).data : undefined;
  if (answer !== undefined) {
    const { windows, problems, summary } = answer;
    const tested = windows.map(({ findings, retrain, ...window }) => ({
      ...window,
      rules: [...new Set(findings.map(({ rule }) => rule))],
      opens: retrain === 'opened',
    }));
    return { kind: 'tested', windows: tested, problems, summary };
  }
  const problem = problemSchema.safeParse(data).data;
  if (problem?.code === 'policy.invalid') return { kind: 'refused', reason: problem.detail };
  if (problem?.code === 'model.unknown') return { kind: 'untested', reason: problem.detail };
  throw new Error(status === 200 ? 'its answer is not that of a back-test' : `status ${status}`);
}
