import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Injection } from './inject.ts';

export type Outcome = Injection['outcome'] | 'passed' | 'invalid' | 'failed';

/** The injector's metrics. `passed`: nothing that is injected into; `invalid`: no review; `failed`: our bug. */
export function injectorMetrics(expiresAt: () => number | undefined) {
  const registry = new Registry();
  const registers = [registry];
  const reviews = new Counter({
    name: 'fairway_injector_reviews_total',
    help: 'Reviews by what became of the pod',
    labelNames: ['outcome'],
    registers,
  });
  for (const outcome of OUTCOMES) reviews.inc({ outcome }, 0);
  const seconds = new Histogram({
    name: 'fairway_injector_review_seconds',
    help: 'From the last byte of a review to its answer',
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2],
    registers,
  });
  const certificates = new Counter({
    name: 'fairway_injector_certificates_total',
    help: 'New certificates by what became of them',
    labelNames: ['result'],
    registers,
  });
  for (const result of ['used', 'kept']) certificates.inc({ result }, 0);
  registry.registerMetric(
    new Gauge({
      name: 'fairway_injector_certificate_expires_seconds',
      help: 'Unix time at which the certificate in use ends',
      registers: [],
      collect() {
        this.set((expiresAt() ?? 0) / 1000);
      },
    }),
  );
  return {
    registry,
    reviewed: (outcome: Outcome, ms: number) => {
      reviews.inc({ outcome });
      seconds.observe(ms / 1000);
    },
    certificate: (result: 'used' | 'kept') => certificates.inc({ result }),
  };
}

const OUTCOMES: readonly Outcome[] = ['ignored', 'present', 'refused', 'injected', 'passed', 'invalid', 'failed'];
