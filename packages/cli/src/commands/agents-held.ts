import { expectJson } from '../stack/http.ts';
import type { Held, LedgerAccount } from './account-text.ts';
import type { Connection } from './connection.ts';

const ASK = { timeoutMs: 5000 };

/** Admin addresses of the agents that run in an embedded stack. */
export async function agentsOf({ state }: Connection): Promise<string[]> {
  const kube = state?.processes.kube?.url;
  if (!kube) return [];
  type Pods = { pods: { podIP: string; processes: { container: string }[] }[] };
  const { pods } = await expectJson<Pods>('The cluster', `${kube}/fairway/pods`, { token: state.tokens.kube });
  return pods
    .filter(({ processes }) => processes.some(({ container }) => container === 'agent'))
    .map(({ podIP }) => `http://${podIP}:9090`);
}

type AgentAccount = {
  readonly epoch: string;
  readonly sent: number;
  readonly inSpool: number;
  readonly redacting: number;
  readonly earlier: { readonly inSpool: number };
};

/** Asks an agent what it holds, and the ledger what the queue has brought of it; without an answer it is not known. */
export async function readAgent(
  { recorder, monitorToken: token }: Connection,
  ledger: Pick<LedgerAccount, 'epochs'>,
  url: string,
): Promise<Held> {
  try {
    const { epoch, sent, inSpool, redacting, earlier } = await expectJson<AgentAccount>(
      'The agent',
      `${url}/account`,
      ASK,
    );
    const agent = ledger.epochs.find((row) => row.epoch === epoch)?.agent;
    const path = `${recorder}/v1/epochs/${encodeURIComponent(agent ?? '')}/${encodeURIComponent(epoch)}`;
    const received =
      agent === undefined || token === undefined
        ? 0
        : (await expectJson<{ exchanges: number }>('The recorder', path, { token })).exchanges;
    const inFlight = inSpool + redacting + Math.max(0, sent - received);
    return { url, epoch, inFlight, inherited: earlier.inSpool };
  } catch {
    return { url };
  }
}
