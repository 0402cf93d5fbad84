import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import type { IntakeMetrics, Metrics } from './ports.ts';

export type PrometheusMetrics = Metrics &
  IntakeMetrics & { readonly scrape: () => Promise<{ contentType: string; body: string }> };

/** The writer's figures for Prometheus. */
export function prometheusMetrics(): PrometheusMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const steps = new Histogram({
    name: 'fairway_writer_step_seconds',
    help: 'Duration of a step of a change, by its result',
    labelNames: ['step', 'status'],
    buckets: [0.01, 0.05, 0.1, 0.3, 1, 3, 10, 60],
    registers,
  });
  const phases = new Counter({
    name: 'fairway_writer_phase_entered_total',
    help: 'Changes that entered a phase',
    labelNames: ['kind', 'phase'],
    registers,
  });
  const notifications = new Counter({
    name: 'fairway_writer_notifications_total',
    help: 'Attempts to send a notification, by channel and result; accepted does not mean delivered',
    labelNames: ['channel', 'result'],
    registers,
  });
  const champions = new Counter({
    name: 'fairway_writer_champion_looks_total',
    help: 'Looks at champions of model registries, by registry and result; unreadable means that the registry could not be asked',
    labelNames: ['registry', 'result'],
    registers,
  });
  return {
    championLooked: (registryKind, result) => champions.inc({ registry: registryKind, result }),
    stepRan: (step, status, seconds) => steps.observe({ step, status }, seconds),
    phaseEntered: (kind, phase) => phases.inc({ kind, phase }),
    notified: (channel, result) => notifications.inc({ channel, result }),
    scrape: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}
