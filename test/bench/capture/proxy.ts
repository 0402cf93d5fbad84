import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasRedisServer, startRedisServer } from '../../../packages/cli/src/stack/redis/server.ts';
import { tieToUs } from '../../../packages/cli/src/stack/tied.ts';
import { AGENT_MEMORY_MIB, agentMemory } from '../../../packages/core/src/agent-memory.ts';
import { freePort } from '../../harness/ports.ts';
import { atLeast, atMost, median, type Result } from '../result.ts';
import { shippedAgent } from '../shipped.ts';
import { cpuMs, firstThreadMs, found, startProxyPass, startUpstream, stopped } from './nginx.ts';
import { type Loaded, wrk, wrkScript } from './wrk.ts';

const ROUNDS = 5;
const SECONDS = 2;
/** The proxy has a core to itself; what loads it and what answers share the other, as in the reference measurement. */
const [LOAD_CORE, PROXY_CORE] = [0, 1];

const SMALL = JSON.stringify({
  instances: [
    {
      LOAN: 1100,
      MORTDUE: 25860,
      VALUE: 39025,
      YOJ: 10.5,
      DEROG: 0,
      DELINQ: 0,
      CLAGE: 94.36,
      NINQ: 1,
      CLNO: 9,
      DEBTINC: 33.7,
      REASON: 'HomeImp',
      JOB: 'Other',
    },
  ],
});
const ANSWER = JSON.stringify({ predictions: [{ P_BAD1: 0.8312931, P_BAD0: 0.1687069, I_BAD: '1' }] });
const LARGE = JSON.stringify({ instances: [Array.from({ length: 36_000 }, (_, i) => (i % 1000) / 128)] });

type Variant = 'direct' | 'nginx' | 'agent';
/** More of the agent's exchanges than this may not be shed under load, or its throughput does not count. */
const SHED_MOST = 0.01;
/** CPU by request: of the whole process, and of its first thread, which is the one that forwards. */
type Round = Loaded & { readonly cpuUs: number; readonly hopUs: number };

/** The hop in front of the model against nginx's, on one core each, in turns. About a minute and a half. */
export async function proxyNumbers(): Promise<Result[]> {
  const missing = ['nginx', 'wrk', 'taskset'].filter((program) => !found(program));
  if (missing.length > 0) return skipped(`${missing.join(' and ')} not installed on this machine`);
  const dir = mkdtempSync(join(tmpdir(), 'fairway-bench-'));
  const stops: Array<() => Promise<void> | void> = [() => rmSync(dir, { recursive: true, force: true })];
  try {
    const ports = { direct: await freePort(), nginx: await freePort(), agent: await freePort() };
    const upstream = await startUpstream(join(dir, 'upstream'), ports.direct, LOAD_CORE, ANSWER);
    stops.push(() => upstream.stop());
    const nginx = await startProxyPass(join(dir, 'proxy'), ports.nginx, ports.direct, PROXY_CORE);
    stops.push(() => nginx.stop());
    const agent = await startAgent(dir, ports.agent, ports.direct, await queueUrl(dir, stops));
    stops.push(() => stopped(agent.child));
    const pids = { direct: upstream.pid, nginx: nginx.pid, agent: agent.child.pid ?? 0 };
    return await measured(dir, ports, pids, agent.admin);
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

async function measured(
  dir: string,
  ports: Record<Variant, number>,
  pids: Record<Variant, number>,
  admin: number,
): Promise<Result[]> {
  const shed = shedding(admin);
  const turns = async (body: string, connections: number, variants: readonly Variant[]) => {
    const script = join(dir, 'load.lua');
    writeFileSync(script, wrkScript(body));
    const rounds: Record<Variant, Round[]> = { direct: [], nginx: [], agent: [] };
    for (let round = -1; round < ROUNDS; round++) {
      for (const variant of variants) {
        const before = [cpuMs(pids[variant]), firstThreadMs(pids[variant])] as const;
        const load = await wrk(ports[variant], LOAD_CORE, { connections, seconds: SECONDS, script });
        if (load.bad > 0) throw new Error(`${variant} answered ${load.bad} of ${load.requests} requests badly`);
        // What its capture still has to send is the agent's cost, and would slow down whoever comes next.
        await settled(admin);
        const after = [cpuMs(pids[variant]), firstThreadMs(pids[variant])] as const;
        const [cpuUs, hopUs] = [0, 1].map((i) => (((after[i] ?? 0) - (before[i] ?? 0)) * 1_000) / load.requests);
        // The first round warms up.
        if (round >= 0) rounds[variant].push({ ...load, cpuUs: cpuUs ?? 0, hopUs: hopUs ?? 0 });
      }
    }
    return rounds;
  };
  const small = await turns(SMALL, 32, ['nginx', 'agent']);
  const smallShed = await shed();
  const single = await turns(SMALL, 1, ['direct', 'agent', 'nginx']);
  const singleShed = await shed();
  const large = await turns(LARGE, 8, ['nginx', 'agent']);
  const largeShed = await shed();
  const rate = (rounds: readonly Round[]) => median(rounds.map(({ perSecond }) => perSecond));
  const cpu = (rounds: readonly Round[]) => median(rounds.map(({ cpuUs }) => cpuUs));
  const hop = (rounds: readonly Round[]) => median(rounds.map(({ hopUs }) => hopUs));
  const fastest = (rounds: readonly Round[]) => Math.min(...rounds.map(({ p50Ms }) => p50Ms));
  const says = (what: Record<Variant, Round[]>) =>
    `agent ${Math.round(rate(what.agent))}/s at ${round(cpu(what.agent))} µs (${round(hop(what.agent))} on the forwarding thread), nginx ${Math.round(rate(what.nginx))}/s at ${round(cpu(what.nginx))} µs`;
  const throughput = atLeast(
    'proxy-throughput',
    round(rate(small.agent) / rate(small.nginx)),
    'x',
    0.6,
    `32 connections, ${SMALL.length} B; ${says(small)}; ${smallShed.says}`,
  );
  return [
    {
      ...throughput,
      ok: throughput.ok && smallShed.share <= SHED_MOST,
      baseline: round(rate(small.nginx)),
    },
    {
      ...atMost(
        'proxy-cpu-per-request',
        round(cpu(small.agent) / cpu(small.nginx)),
        'x',
        1.7,
        'same runs, process time by requests',
      ),
      baseline: round(cpu(small.nginx)),
    },
    {
      ...atMost(
        'proxy-added-p50',
        round(fastest(single.agent) - fastest(single.direct), 3),
        'ms',
        0.06,
        `1 connection, best of ${ROUNDS}; nginx adds ${round(fastest(single.nginx) - fastest(single.direct), 3)} ms; ${singleShed.says}`,
      ),
      baseline: fastest(single.direct),
    },
    {
      ...atLeast(
        'proxy-large-bodies',
        round(rate(large.agent) / rate(large.nginx)),
        'x',
        0.8,
        `8 connections, ${Math.round(LARGE.length / 1000)} KB; ${says(large)}; ${largeShed.says}`,
      ),
      baseline: round(rate(large.nginx)),
    },
  ];
}

const skipped = (why: string): Result[] =>
  [
    atLeast('proxy-throughput', 0, 'x', 0.6, why),
    atMost('proxy-cpu-per-request', 0, 'x', 1.7, why),
    atMost('proxy-added-p50', 0, 'ms', 0.06, why),
    atLeast('proxy-large-bodies', 0, 'x', 0.8, why),
  ].map((result) => ({ ...result, ok: false, note: `skipped: ${why}` }));

const round = (value: number, digits = 2): number => Number(value.toFixed(digits));
/** Redis where there is one; without, the packs stay in the spool, which costs less than sending them: the note says so. */
async function queueUrl(dir: string, stops: Array<() => Promise<void> | void>): Promise<string> {
  if (!hasRedisServer()) return `redis://127.0.0.1:${await freePort()}`;
  const [port, password] = [await freePort(), 'bench-password'];
  const redis = await startRedisServer({ dataDir: join(dir, 'redis'), port, password, onExit: console.error });
  stops.push(() => redis.stop());
  return `redis://:${password}@127.0.0.1:${port}`;
}

type Account = {
  readonly captured: number;
  readonly inSpool: number;
  readonly redacting: number;
  readonly dropped: Readonly<Record<string, number>>;
};

async function accountOf(admin: number): Promise<Account> {
  return (await (await fetch(`http://127.0.0.1:${admin}/account`)).json()) as Account;
}

/** Long enough for what a turn leaves; without a queue the packs stay where they are. */
const SETTLED_MS = 5_000;

async function settled(admin: number): Promise<void> {
  const until = performance.now() + SETTLED_MS;
  for (;;) {
    const { inSpool, redacting } = await accountOf(admin);
    if ((inSpool === 0 && redacting === 0) || performance.now() > until) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Exchanges that the agent dropped since the last call, of those that it saw since then. */
function shedding(admin: number): () => Promise<{ share: number; says: string }> {
  let before = { captured: 0, dropped: 0 };
  return async () => {
    const { captured, dropped: reasons } = await accountOf(admin);
    const now = { captured, dropped: Object.values(reasons).reduce((a, b) => a + b, 0) };
    const [seen, dropped] = [now.captured - before.captured, now.dropped - before.dropped];
    before = now;
    const share = dropped / Math.max(1, seen);
    return { share, says: `${dropped} of ${seen} captures dropped (${round(share * 100)} %)` };
  };
}

async function startAgent(
  dir: string,
  port: number,
  upstream: number,
  queue: string,
): Promise<{ readonly child: ChildProcess; readonly admin: number }> {
  const admin = await freePort();
  const main = await shippedAgent(dir);
  const child = spawn('taskset', ['-c', String(PROXY_CORE), process.execPath, ...main], {
    env: {
      PATH: process.env['PATH'],
      ...agentMemory(AGENT_MEMORY_MIB),
      LISTEN_HOST: '127.0.0.1',
      LISTEN_PORT: String(port),
      ADMIN_PORT: String(admin),
      UPSTREAM: `127.0.0.1:${upstream}`,
      SPOOL_DIR: join(dir, 'spool'),
      QUEUE_URL: queue,
      FAIRWAY_MODEL: 'bench',
      FAIRWAY_ENVIRONMENT: 'dev',
      AGENT_NAME: 'agent-bench',
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  tieToUs(child, 'SIGKILL');
  for (let i = 0; i < 200; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const answer = await fetch(`http://127.0.0.1:${admin}/readyz`).catch(() => undefined);
    if (answer?.ok === true) return { child, admin };
  }
  throw new Error('the agent is not ready');
}
