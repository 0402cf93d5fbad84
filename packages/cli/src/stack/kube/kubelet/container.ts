import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pause } from '@fairway/core';
import { kubeTime } from '../objects.ts';
import { resolvePort } from '../workloads.ts';
import { type Command, containerCommand } from './command.ts';
import { containerEnv, lookupIn } from './environment.ts';
import { lastWord, mountLastWord } from './last-word.ts';
import { logFile, podDir } from './layout.ts';
import type { ContainerPlace, KubeletParts } from './parts.ts';
import { type ContainerRecord, isRestarted } from './pod-status.ts';
import { startProbes } from './health.ts';
import { getOnce } from './probes.ts';
import { type Attempt, problem } from './problem.ts';
import type { ContainerProcess, Exit } from './processes.ts';
import { withServiceAddresses } from './service-names.ts';

/** One container from its first start to its end for good, over all restarts. */
export type ContainerRun = {
  /** Resolves when it has started up (startup probe passed), or ended. */
  readonly started: Promise<void>;
  /** Resolves when it will not run again. */
  readonly ended: Promise<void>;
  readonly pid: number | undefined;
  /** Runs the preStop hook of a running container; never rejects. */
  preStop(signal: AbortSignal): Promise<void>;
  /** SIGTERM, SIGKILL at the deadline (clock time), no restart. Callable again with an earlier deadline. */
  stop(deadline: number): Promise<void>;
};

/** The first restart is immediate, then 1 s, doubled, at most a minute (Kubernetes: 10 s to 5 min). */
const crashDelayMs = (crashes: number): number => (crashes <= 1 ? 0 : Math.min(1000 * 2 ** (crashes - 2), 60_000));
const problemDelayMs = (tries: number): number => Math.min(500 * 2 ** (tries - 1), 30_000);
/** A container that ran this long has recovered: its next crash counts as the first. */
const RECOVERED_MS = 60_000;

/** Starts and restarts a container until it has ended for good or is stopped. */
export function runContainer(parts: KubeletParts, place: ContainerPlace, record: ContainerRecord): ContainerRun {
  const ending = new AbortController();
  let current: ContainerProcess | undefined;
  let announceStart = () => {};
  const started = new Promise<void>((resolve) => (announceStart = resolve));

  const runOnce = async (command: Command): Promise<Exit | undefined> => {
    const child = await parts.processes.start(command, logFile(parts.dataDir, place.pod, record.spec.name));
    current = child;
    if (ending.signal.aborted) child.terminate();
    record.state = { running: { startedAt: kubeTime(parts.clock.now()) } };
    record.containerID = `fairway://${child.pid}`;
    parts.record(place.pod, 'Normal', 'Started', `Started container ${record.spec.name}`);
    const probing = new AbortController();
    startProbes(parts, place, record, { child, announceStart }, probing.signal);
    place.changed();
    const exit = await child.exited;
    probing.abort();
    current = undefined;
    return exit;
  };
  const ended = superviseRestarts(parts, place, record, ending.signal, runOnce).then(announceStart);
  return {
    started,
    ended,
    get pid() {
      return current?.pid;
    },
    preStop: (signal) => (current ? runPreStop(parts, place, record, signal) : Promise.resolve()),
    async stop(deadline) {
      ending.abort();
      current?.terminate();
      const timer = setTimeout(() => current?.kill(), Math.max(0, deadline - parts.clock.now()));
      await ended;
      clearTimeout(timer);
    },
  };
}

type RunOnce = (command: Command) => Promise<Exit | undefined>;

async function superviseRestarts(
  parts: KubeletParts,
  place: ContainerPlace,
  record: ContainerRecord,
  ending: AbortSignal,
  runOnce: RunOnce,
): Promise<void> {
  let [problems, crashes] = [0, 0];
  while (!ending.aborted) {
    const begun = parts.clock.now();
    const attempt = await attemptRun(parts, place, record, runOnce);
    if ('problem' in attempt) {
      problems += 1;
      showProblem(parts, place, record, attempt.problem, problems);
      await pause(problemDelayMs(problems), ending);
      continue;
    }
    problems = 0;
    crashes = parts.clock.now() - begun > RECOVERED_MS ? 1 : crashes + 1;
    const { code } = attempt.ok;
    noteExit(record, attempt.ok, lastWord(parts.dataDir, place.pod, record.spec), parts.clock.now());
    place.changed();
    if (ending.aborted || !isRestarted(record.role, place.pod.spec.restartPolicy, code)) return;
    await waitForRestart(parts, place, record, crashDelayMs(crashes), ending);
  }
}

async function attemptRun(
  parts: KubeletParts,
  place: ContainerPlace,
  record: ContainerRecord,
  runOnce: RunOnce,
): Promise<Attempt<Exit>> {
  try {
    const command = await prepare(parts, place, record);
    if ('problem' in command) return command;
    return { ok: (await runOnce(command.ok)) ?? { code: 1 } };
  } catch (error) {
    return problem('RunContainerError', (error as Error).message);
  }
}

async function prepare(
  parts: KubeletParts,
  { pod, podIP, volumes }: ContainerPlace,
  record: ContainerRecord,
): Promise<Attempt<Command>> {
  const { spec } = record;
  const image = await parts.images.pull(spec.image);
  if ('problem' in image) return image;
  record.imageID = image.ok.id;
  const env = containerEnv(spec, pod, podIP, lookupIn(parts.registry, pod.metadata.namespace ?? ''));
  if ('problem' in env) return env;
  const volumeMounts = (spec.volumeMounts ?? []).map(({ name, mountPath, subPath = '' }) => ({
    path: mountPath,
    host: join(volumes.get(name) ?? '', join('/', subPath)),
  }));
  const mounts = [...volumeMounts, mountLastWord(parts.dataDir, pod, spec)];
  const home = join(podDir(parts.dataDir, pod), 'home', spec.name);
  mkdirSync(home, { recursive: true });
  const base = { ...parts.baseEnv, HOME: home };
  return containerCommand(
    spec,
    image.ok,
    { pod, podIP, mounts, base },
    withServiceAddresses(env.ok, parts.registry),
    parts.programs,
  );
}

function showProblem(
  parts: KubeletParts,
  place: ContainerPlace,
  record: ContainerRecord,
  { reason, message }: { reason: string; message: string },
  tries: number,
): void {
  // Kubernetes shows the error first and ImagePullBackOff while it waits for the next try.
  const shown =
    reason === 'ErrImagePull' && tries > 1
      ? { reason: 'ImagePullBackOff', message: `Back-off pulling image "${record.spec.image}": ${message}` }
      : { reason, message };
  record.state = { waiting: shown };
  parts.record(place.pod, 'Warning', 'Failed', message);
  place.changed();
}

function noteExit(record: ContainerRecord, { code, signal }: Exit, said: string | undefined, now: number): void {
  record.state = {
    terminated: {
      exitCode: code,
      reason: code === 0 ? 'Completed' : 'Error',
      ...(signal === undefined ? {} : { signal }),
      ...(said === undefined ? {} : { message: said }),
      startedAt: record.state.running?.startedAt ?? kubeTime(now),
      finishedAt: kubeTime(now),
    },
  };
  record.ready = false;
  record.started = false;
}

async function waitForRestart(
  parts: KubeletParts,
  place: ContainerPlace,
  record: ContainerRecord,
  delayMs: number,
  ending: AbortSignal,
): Promise<void> {
  record.lastState = record.state;
  record.restartCount += 1;
  if (delayMs === 0) return;
  const message = `back-off ${Math.round(delayMs / 1000)}s restarting failed container=${record.spec.name} pod=${place.pod.metadata.name}`;
  record.state = { waiting: { reason: 'CrashLoopBackOff', message } };
  parts.record(place.pod, 'Warning', 'BackOff', `Back-off restarting failed container ${record.spec.name}`);
  place.changed();
  await pause(delayMs, ending);
}

/** `sleep` and `httpGet`; `exec` only for the command `sleep`, since no image brings programs of its own. */
async function runPreStop(
  parts: KubeletParts,
  { pod, podIP }: ContainerPlace,
  { spec }: ContainerRecord,
  signal: AbortSignal,
): Promise<void> {
  const { sleep, httpGet, exec } = spec.lifecycle?.preStop ?? {};
  const [program = '', seconds = ''] = exec?.command ?? [];
  if (sleep) await pause(1000 * sleep.seconds, signal);
  else if (/^(.*\/)?sleep$/.test(program)) await pause(1000 * Number(seconds), signal);
  else if (httpGet) {
    const port = resolvePort(httpGet.port, [spec]) ?? 0;
    const failure = await Promise.race([getOnce(httpGet, httpGet.host ?? podIP, port, 60_000), aborted(signal)]);
    if (failure !== undefined) parts.record(pod, 'Warning', 'FailedPreStopHook', failure);
  } else if (exec)
    parts.record(
      pod,
      'Warning',
      'FailedPreStopHook',
      `${program}: the embedded cluster runs only sleep in a preStop hook`,
    );
}

const aborted = (signal: AbortSignal): Promise<undefined> =>
  new Promise((resolve) =>
    signal.aborted ? resolve(undefined) : signal.addEventListener('abort', () => resolve(undefined), { once: true }),
  );
