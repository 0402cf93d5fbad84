/** The writer as shipped, except that it dies by SIGKILL at the boundary it is told. Waits for its environment, so that a spare one costs no start. */
import { readEnv, runService, silentLogger } from '@fairway/core';
import { openWorld, type World } from '../../packages/gitops-writer/src/adapters.ts';
import { WRITER_ENV } from '../../packages/gitops-writer/src/config.ts';
import type { Claims, Outbox } from '../../packages/gitops-writer/src/ports.ts';
import { buildWriter } from '../../packages/gitops-writer/src/writer.ts';
import { ordinals, type Point, watched } from './kill-points.ts';

/** Boundaries are counted anew from each order on. `number` comes back as `obeyed`. */
export type FaultyOrder = {
  readonly number: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly dieAt?: Point;
};
export type FaultyWord = { readonly obeyed?: number; readonly ready?: true; readonly point?: Point };

const seen = new Set<Point>();
const { numbered, anew } = ordinals();
let dieAt: Point | undefined;

const say = (word: FaultyWord) => process.send?.(word);

function reached(unnumbered: Point): void {
  const point = numbered(unnumbered);
  if (point === dieAt) process.kill(process.pid, 'SIGKILL');
  if (seen.has(point)) return;
  seen.add(point);
  say({ point });
}

process.on('message', (order: FaultyOrder) => {
  dieAt = order.dieAt;
  seen.clear();
  anew();
  if (order.env !== undefined) void start(order.env);
  say({ obeyed: order.number });
});

async function start(given: Readonly<Record<string, string>>): Promise<void> {
  const env = readEnv(given, WRITER_ENV);
  const world = openWorld(env, process.env['PATH'], silentLogger);
  const ready = () => say({ ready: true });
  await runService(buildWriter(env, watchedWorld(world), silentLogger, ready), silentLogger, process, false);
}

function watchedWorld(world: World): World {
  const { steps } = world;
  const watch = <T extends object>(part: string, target: T, about?: readonly string[]) =>
    watched(part, target, reached, about);
  const claims: Claims = {
    ...world.claims,
    claim: async (id) => {
      const claim = await world.claims.claim(id);
      return typeof claim === 'object' && 'settle' in claim ? watch('claim', claim, [claim.stored.change.kind]) : claim;
    },
  };
  const outbox: Outbox = {
    ...world.outbox,
    relay: (channel, send) => world.outbox.relay(channel, (delivery) => watch('notifier', { send }).send(delivery)),
  };
  return {
    ...world,
    claims,
    outbox,
    intake: watch('intake', world.intake),
    queue: watch('queue', world.queue),
    steps: {
      ...steps,
      repository: watch('repository', steps.repository),
      forge: watch('forge', steps.forge),
      images: watch('images', steps.images),
      cluster: watch('cluster', steps.cluster),
    },
  };
}
