import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { lifecycle, type Part, type ProcessLike, runService } from './lifecycle.ts';
import { silentLogger } from './log.ts';

function parts(events: string[], overrides: Record<string, Partial<Part>> = {}): Part[] {
  return ['a', 'b', 'c'].map((name) => ({
    name,
    start: () => void events.push(`+${name}`),
    stop: () => void events.push(`-${name}`),
    ...overrides[name],
  }));
}

test('starts in order, stops in reverse, each once however often it is asked', async () => {
  const events: string[] = [];
  const service = lifecycle(parts(events), silentLogger);
  await Promise.all([service.start(), service.start()]);
  expect(service.running).toBe(true);
  await Promise.all([service.stop(), service.stop()]);
  await service.stop();
  expect(events).toEqual(['+a', '+b', '+c', '-c', '-b', '-a']);
  expect(service.running).toBe(false);
});

test('a part that cannot start takes the started ones down with it', async () => {
  const events: string[] = [];
  const service = lifecycle(parts(events, { c: { start: () => Promise.reject(new Error('no port')) } }), silentLogger);
  await expect(service.start()).rejects.toThrow('no port');
  expect(events).toEqual(['+a', '+b', '-b', '-a']);
});

test('a stop during start waits for the part in hand and starts no further one', async () => {
  const events: string[] = [];
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  let reached = () => {};
  const inHand = new Promise<void>((resolve) => (reached = resolve));
  const start = () => (reached(), held);
  const service = lifecycle(parts(events, { b: { start } }), silentLogger);
  const starting = service.start();
  await inHand;
  const stopping = service.stop();
  release();
  await Promise.all([starting, stopping]);
  expect(events).toEqual(['+a', '-b', '-a']);
});

test('a part that hangs or throws on stop does not hold the others', async () => {
  const events: string[] = [];
  const overrides = {
    b: { stop: () => new Promise<void>(() => {}) },
    c: { stop: () => Promise.reject(new Error('x')) },
  };
  const service = lifecycle(parts(events, overrides), silentLogger, 20);
  await service.start();
  await service.stop();
  expect(events).toEqual(['+a', '+b', '+c', '-a']);
});

function fakeProcess(connected: boolean, isForked = connected) {
  const emitter = new EventEmitter();
  const exits: number[] = [];
  const host = Object.assign(emitter, {
    connected,
    send: isForked ? () => true : undefined,
    exit: (code: number) => exits.push(code),
  }) as unknown as ProcessLike;
  return { host, emitter, exits };
}

test('a service whose parent was gone before it could listen to that is not started', async () => {
  const events: string[] = [];
  const { host, exits } = fakeProcess(false, true);
  await runService(lifecycle(parts(events), silentLogger), silentLogger, host, false);
  await expect.poll(() => exits).toEqual([0]);
  expect(events).toEqual([]);
});

test.each(['SIGTERM', 'SIGINT', 'disconnect'])('%s stops the service and exits with 0', async (event) => {
  const events: string[] = [];
  const { host, emitter, exits } = fakeProcess(true);
  await runService(lifecycle(parts(events), silentLogger), silentLogger, host, false);
  emitter.emit(event);
  await expect.poll(() => exits).toEqual([0]);
  expect(events.at(-1)).toBe('-a');
});

test('a service that cannot start says why and exits with 1, with a stack only for debugging', async () => {
  const said: object[] = [];
  const log = { ...silentLogger, error: (fields: object) => said.push(fields) };
  const { host, exits } = fakeProcess(false);
  await runService(
    lifecycle(parts([], { a: { start: () => Promise.reject(new Error('no disk')) } }), log),
    log,
    host,
    false,
  );
  expect(exits).toEqual([1]);
  expect(said).toEqual([{ reason: 'no disk' }]);
});
