import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pause, processStart } from '@fairway/core';

type Owned = { pid: number; started: string };

const file = (dir: string) => join(dir, 'pids.json');

/** Notes which processes belong to the stack in this folder, so that whoever takes it over can tell them from others. */
export function recordPids(dir: string, pids: readonly number[]): void {
  const owned = pids.flatMap((pid): Owned[] => {
    const started = processStart(pid);
    return started === undefined ? [] : [{ pid, started }];
  });
  const partial = `${file(dir)}.new`;
  writeFileSync(partial, JSON.stringify(owned));
  renameSync(partial, file(dir));
}

/**
 * Waits until the processes of a killed stack are gone: they notice the loss of their parent and stop in order. What is
 * still there after `patienceMs` is killed; pid and start time together prove that it is ours.
 */
export async function awaitLeftovers(dir: string, patienceMs = 15_000): Promise<void> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const alive = readPids(dir).filter(({ pid, started }) => processStart(pid) === started);
    if (alive.length === 0) return;
    if (Date.now() > deadline) for (const { pid } of alive) kill(pid);
    await pause(100);
  }
}

function readPids(dir: string): Owned[] {
  try {
    return JSON.parse(readFileSync(file(dir), 'utf8')) as Owned[];
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone in between.
  }
}
