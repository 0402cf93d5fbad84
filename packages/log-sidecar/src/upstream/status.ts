import { Agent, get } from 'node:http';
import { type Part, pause } from '@fairway/core';
import type { Address, AgentClock, Observation, StatusObserver } from '../ports.ts';

const INTERVAL_MS = 1000;
/** Until a version is AVAILABLE: the first predictions shall not wait long for their attribution. */
const EAGER_INTERVAL_MS = 250;
const TIMEOUT_MS = 1000;
/** The metadata of a model with thousands of inputs is the largest. */
const ANSWER_CAP = 1024 * 1024;

/** Who wants to know what labels resolve to: those that callers use. */
type LabelObserver = {
  labelsInUse(): readonly string[];
  observeLabel(label: string, observation: Observation): void;
};

/** Asks the model server, directly and about once a second, which versions are AVAILABLE and what labels stand for. */
export class StatusPoll implements Part {
  readonly name = 'status poll';
  private readonly upstream: Address;
  private readonly path: string;
  private readonly observer: StatusObserver & LabelObserver;
  private readonly clock: AgentClock;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });
  private readonly stopped = new AbortController();
  private loop: Promise<void> | undefined;

  constructor(upstream: Address, model: string, observer: StatusObserver & LabelObserver, clock: AgentClock) {
    this.upstream = upstream;
    this.path = `/v1/models/${encodeURIComponent(model)}`;
    this.observer = observer;
    this.clock = clock;
  }

  /** The first answer is awaited: where the model already runs, no exchange comes before it is known. */
  async start(): Promise<void> {
    await this.ask();
    this.loop = this.poll();
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    await this.loop;
    // The last evidence, for exchanges that ended after the last regular answer.
    await this.ask();
    this.agent.destroy();
  }

  private async poll(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      await pause(this.observer.known ? INTERVAL_MS : EAGER_INTERVAL_MS, this.stopped.signal);
      if (!this.stopped.signal.aborted) await this.ask();
    }
  }

  private async ask(): Promise<void> {
    const sentAt = this.clock.monotonic();
    const answer = await fetchAnswer(this.upstream, this.path, this.agent).catch(() => undefined);
    const versions = answer?.status === 200 ? availableVersions(answer.text) : undefined;
    if (versions) this.observer.observe({ sentAt, receivedAt: this.clock.monotonic(), versions });
    // A server that does not answer is not asked for every label in turn.
    if (answer) await this.askLabels();
  }

  private async askLabels(): Promise<void> {
    for (const label of this.observer.labelsInUse()) {
      const sentAt = this.clock.monotonic();
      // The status of a label lists all versions; its metadata is that of the version it stands for.
      const path = `${this.path}/labels/${label}/metadata`;
      const answer = await fetchAnswer(this.upstream, path, this.agent).catch(() => undefined);
      if (!answer) return;
      const versions = resolvedVersions(answer);
      if (versions) this.observer.observeLabel(label, { sentAt, receivedAt: this.clock.monotonic(), versions });
    }
  }
}

type Answer = { readonly status: number; readonly text: string };

/** The version of a metadata answer; none when the label is refused; undefined when the answer says neither. */
export function resolvedVersions({ status, text }: Answer): string[] | undefined {
  if (status === 400 || status === 404) return [];
  if (status !== 200) return undefined;
  try {
    const version = (JSON.parse(text) as { model_spec?: { version?: unknown } } | null)?.model_spec?.version;
    return typeof version === 'string' && /^\d+$/.test(version) ? [version] : undefined;
  } catch {
    return undefined;
  }
}

/** The AVAILABLE versions of a TF Serving status answer in ascending order; undefined when it is none. */
export function availableVersions(text: string): string[] | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return undefined;
  }
  const list = (answer as { model_version_status?: unknown } | null)?.model_version_status;
  if (!Array.isArray(list)) return undefined;
  return (list as Array<{ state?: unknown; version?: unknown } | null>)
    .filter((entry) => entry?.state === 'AVAILABLE')
    .map((entry) => String(entry?.version))
    .filter((version) => /^\d+$/.test(version))
    .sort((a, b) => Number(BigInt(a) - BigInt(b)));
}

function fetchAnswer({ host, port }: Address, path: string, agent: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get({ host, port, path, agent, signal: AbortSignal.timeout(TIMEOUT_MS) }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
        if (text.length > ANSWER_CAP) request.destroy(new Error('the status answer is too long'));
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}
