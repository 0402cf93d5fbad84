import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasRedisServer, startRedisServer } from '../../../packages/cli/src/stack/redis/server.ts';
import { freePort } from '../../harness/ports.ts';
import { peakMb, RESIDENT_MB } from '../resident.ts';
import { atMost, type Result } from '../result.ts';
import { RATE, startAgent, startCallers, startModel } from './memory.ts';
import { stopped } from './nginx.ts';

const SECONDS = 60;

/** What an agent holds, started as in its container, while a minute of predictions passes and Redis takes them. */
export async function residentNumbers(): Promise<Result[]> {
  const result = (mb: number, note: string) => atMost('agent-resident', mb, 'MB', RESIDENT_MB.agent, note);
  if (!hasRedisServer()) return [{ ...result(0, 'skipped: redis-server not installed on this machine'), ok: false }];
  const dir = mkdtempSync(join(tmpdir(), 'fairway-bench-'));
  const stops: Array<() => unknown> = [() => rmSync(dir, { recursive: true, force: true })];
  try {
    const model = await startModel();
    stops.push(() => {
      model.closeAllConnections();
      model.close();
    });
    const [port, redisPort, password] = [await freePort(), await freePort(), 'bench-password'];
    const redis = await startRedisServer({
      dataDir: join(dir, 'redis'),
      port: redisPort,
      password,
      onExit: console.error,
    });
    stops.push(() => redis.stop());
    const queue = `redis://:${password}@127.0.0.1:${redisPort}`;
    const agent = await startAgent(dir, port, (model.address() as AddressInfo).port, queue);
    stops.push(() => stopped(agent));
    const callers = await startCallers(port);
    await sleep(SECONDS * 1000);
    const rate = Math.round(callers.stop() / SECONDS);
    return [result(peakMb(agent.pid ?? 0), `largest resident set; ${rate} of ${RATE} predictions/s for ${SECONDS} s`)];
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}
