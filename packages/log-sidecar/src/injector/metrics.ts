import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Injection } from './inject.ts';

export type Outcome = Injection['outcome'] | 'passed' | 'invalid' | 'failed';

/** The injector's metrics. `passed`: nothing that is injected into; `invalid`: no review; `failed`: our bug. */
export function injectorMetrics(expiresAt: () => number | undefined) {
  const registry = new Registry();
  const registers = [registry];
  const reviews = counter('fairway_injector_reviews_total', 'Reviews by what became of the pod', 'outcome', OUTCOMES);
  const seconds = new Histogram({
    name: 'fairway_injector_review_seconds',
    help: 'From the last byte of a review to its answer',
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2],
    registers,
  });
  const about = 'New certificates by what became of them';
  const certificates = counter('fairway_injector_certificates_total', about, 'result', ['used', 'kept']);
  registry.registerMetric(reviews);
  registry.registerMetric(certificates);
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

/** Shows every series from the start: one that appears with its first event hides that event from a rate. */
function counter(name: string, help: string, label: string, values: readonly string[]): Counter {
  const made = new Counter({ name, help, labelNames: [label], registers: [] });
  for (const value of values) made.labels(value).inc(0);
  return made;
}

const OUTCOMES: readonly Outcome[] = ['ignored', 'present', 'refused', 'injected', 'passed', 'invalid', 'failed'];
