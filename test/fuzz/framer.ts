import type { AgentClock, RawExchange, SeenExchange } from '../../packages/log-sidecar/src/ports.ts';
import { Breaker } from '../../packages/log-sidecar/src/proxy/breaker.ts';
import { inferenceRoute } from '../../packages/log-sidecar/src/proxy/route.ts';
import { joined } from '../../packages/log-sidecar/src/proxy/tape.ts';
import { Watch } from '../../packages/log-sidecar/src/proxy/watch.ts';
import { createTally } from '../../packages/log-sidecar/src/tally.ts';
import { campaign } from './campaign.ts';
import { type Conversation, conversations, type Step } from './conversations.ts';
import { type Message, NodeParser } from './node-parser.ts';

const idOf = (n: number): string => `fuzz-${n}-of-fairway`;
const OURS = 'x-fairway-id: fuzz-';
const lineOf = (n: number): string => `${OURS}${n}-of-fairway\r\n`;

/** One conversation past our framer and past node's parser, byte for byte at the same pace. */
class Run {
  readonly tally = createTally();
  readonly budget = { held: 0, cap: 2 ** 30 };
  readonly exchanges: RawExchange[] = [];
  readonly broken: string[] = [];
  missed = 0;
  issued = 0;
  got = '';
  came = '';
  /** Bytes that the model sent and the client has not got. */
  private held = 0;
  private readonly asked = new NodeParser('REQUEST');
  private readonly told: NodeParser;
  private readonly watch: Watch;

  constructor() {
    const clock: AgentClock = { now: () => 0, monotonic: () => 0 };
    const capture = {
      nextId: () => idOf(this.issued++),
      completed: ({ request, response, ...rest }: SeenExchange) =>
        this.completed({ ...rest, request: joined(request), response: joined(response) }),
      missed: () => void this.missed++,
    };
    this.told = answersTo(this.asked);
    const parts = { capture, clock, tally: this.tally, budget: this.budget };
    this.watch = new Watch(parts, new Breaker(clock, this.tally));
  }

  /** Node first: what the framer says of a chunk is held against all that node knows with it. */
  step({ side, bytes }: Step): void {
    if (side === 'q') {
      this.asked.push(bytes);
      this.watch.request(bytes);
      return;
    }
    this.told.push(bytes);
    this.came += bytes.toString('latin1');
    this.held += bytes.length;
    this.take(this.watch.response(bytes));
    this.watch.forwarded();
    const { held } = this;
    if (held !== 0 && !(held === 1 && this.came.endsWith('\r'))) this.broken.push(`${held} bytes are held back`);
  }

  end(ending: Conversation['ending']): void {
    if (ending === 'model') this.told.finish();
    else this.watch.clientGone();
    this.take(this.watch.upstreamEnded());
    this.watch.clientGone();
  }

  close(): void {
    this.asked.close();
    this.told.close();
  }

  /** What the client got, without the lines that we put in. */
  plain(): string {
    return this.without(this.got);
  }

  get unframed(): number {
    return Object.values(this.tally.unframed).reduce((sum, n) => sum + n, 0);
  }

  /** Numbers of the inference calls among the requests that node saw. */
  get calls(): number[] {
    const { messages } = this.asked;
    return messages.flatMap(({ method, target }, i) => (inferenceRoute(method, target) ? [i] : []));
  }

  /** Where a line of ours lies must be the end of the head of the final answer to that very call. */
  misplaced(n: number): string | undefined {
    const parts = this.got.split(lineOf(n));
    if (parts.length === 1) return undefined;
    if (parts.length > 2) return `${idOf(n)} was given twice`;
    let before = parts[0] ?? '';
    for (let other = 0; other < this.issued; other++) before = before.replaceAll(lineOf(other), '');
    const fresh = answersTo(this.asked);
    fresh.push(Buffer.from(`${before}\r\n`, 'latin1'));
    fresh.close();
    const at = finals(fresh).length - 1;
    const one = finals(fresh)[at];
    const fits = at === this.calls[n] && one?.headed === true && one.body.length === 0;
    return fits && before.endsWith('\r\n') ? undefined : `${idOf(n)} is not at the end of the head of its answer`;
  }

  private without(text: string): string {
    if (!text.includes(OURS)) return text;
    let rest = text;
    for (let n = 0; n < this.issued; n++) rest = rest.replaceAll(lineOf(n), '');
    return rest;
  }

  /** A line of ours comes whole, with one chunk: only what is new is searched for it, since there is a chunk for each byte. */
  private take(pieces: readonly Buffer[]): void {
    const text = pieces.map((piece) => piece.toString('latin1')).join('');
    this.got += text;
    this.held -= this.without(text).length;
  }

  private completed(exchange: RawExchange): void {
    const wrong = this.differs(exchange);
    if (wrong !== undefined) this.broken.push(`exchange ${this.exchanges.length}: ${wrong}`);
    this.exchanges.push(exchange);
  }

  private differs(ours: RawExchange): string | undefined {
    const at = this.calls[this.exchanges.length] ?? -1;
    const request = this.asked.messages[at];
    const answer = finals(this.told)[at];
    if (request?.headed !== true) return `node saw no such request (${this.asked.refused ?? 'and read on'})`;
    if (ours.target !== request.target || ours.method !== request.method) return 'another request';
    if (ours.id !== idOf(this.exchanges.length)) return 'another id';
    if (!request.body.equals(ours.request)) return 'another request body';
    if (ours.truncated || ours.requestLength !== request.body.length) return 'another length of the request';
    const done = ours.outcome === 'complete';
    if (done && answer?.complete !== true) return `node saw no whole answer (${this.told.refused ?? 'and read on'})`;
    if (!done && answer?.complete === true) return `${ours.outcome}, but node saw the whole answer`;
    // Of a head that is not yet whole node tells nothing, and we do not either.
    if (ours.status !== (answer?.status ?? 0)) return 'another status';
    return (answer?.body ?? Buffer.alloc(0)).equals(ours.response) ? undefined : 'another answer body';
  }
}

/** Answers as node's client reads them: it knows by the request whether a body follows. */
function answersTo(asked: NodeParser): NodeParser {
  const told: NodeParser = new NodeParser('RESPONSE', (status) => {
    const request = asked.messages[finals(told).length - 1];
    return status < 200 || status === 304 || request?.method === 'HEAD';
  });
  return told;
}

const finals = ({ messages }: NodeParser): Message[] => messages.filter(({ status }) => status === 0 || status >= 200);

function attempt(conversation: Conversation): string | undefined {
  const run = new Run();
  try {
    return wrongIn(run, conversation);
  } finally {
    run.close();
  }
}

function wrongIn(run: Run, { steps, ending }: Conversation): string | undefined {
  for (const step of steps) run.step(step);
  run.end(ending);
  const wrong = run.broken[0];
  if (wrong !== undefined) return wrong;
  if (run.plain() !== run.came) return 'the client got other bytes than the model sent';
  if (run.tally.captureErrors > 0) return 'an exception in capture';
  if (run.budget.held !== 0) return `${run.budget.held} bytes are still held`;
  if (run.unframed > 1) return 'given up more than once';
  const seen = run.tally.requests.inference ?? 0;
  if (run.exchanges.length + run.missed !== seen) return `${seen} calls, but not as many captured and missed`;
  if (run.missed > 0 && run.unframed === 0) return 'missed without a reason';
  if (run.unframed === 0 && seen !== run.calls.length) return `${seen} calls, but node saw ${run.calls.length}`;
  for (let n = 0; n < run.issued; n++) {
    const misplaced = run.misplaced(n);
    if (misplaced !== undefined) return misplaced;
    const exchange = run.exchanges[n];
    if (exchange && exchange.status > 0 !== run.got.includes(lineOf(n))) return `${idOf(n)} is not with its answer`;
  }
  return undefined;
}

/** Each conversation comes out as node's parser reads it, or is given up; the bytes are the same in either case. */
export const framer = campaign('framer', {
  cases: conversations,
  capMs: 10_000,
  rssMb: 512,
  open: async () => ({ attempt: async (one) => attempt(one), close: async () => {} }),
});
