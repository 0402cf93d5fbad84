import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Application, IntakeMetrics, Metrics, OperatingFigures } from './ports.ts';

export type PrometheusMetrics = Metrics &
  IntakeMetrics & { readonly scrape: () => Promise<{ contentType: string; body: string }> };

/** What is asked when somebody reads `/metrics`. */
export type FigureSources = {
  /** A failure leaves the gauges of it absent, never 0. */
  readonly figures: () => Promise<OperatingFigures>;
  /** undefined: what is known of Argo CD's Applications is not up to date. */
  readonly applications: () => readonly Application[] | undefined;
};

/** The writer's figures for Prometheus. */
export function prometheusMetrics(sources: FigureSources): PrometheusMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  storeGauges(registers, sources.figures);
  healthGauge(registers, sources.applications);
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

type Reading = (figures: OperatingFigures) => ReadonlyArray<readonly [labels: Record<string, string>, value: number]>;

function storeGauges(registers: Registry[], figures: FigureSources['figures']): void {
  // One scrape asks every gauge: they share a question that is on its way.
  let asked: Promise<OperatingFigures> | undefined;
  const ask = () => (asked ??= figures().finally(() => (asked = undefined)));
  const gauge = (name: string, help: string, labelNames: string[], read: Reading) =>
    new Gauge({
      name: `fairway_writer_${name}`,
      help,
      labelNames,
      registers,
      async collect() {
        const now = await ask().catch(() => undefined);
        this.reset();
        if (now !== undefined) for (const [labels, value] of read(now)) this.set(labels, value);
      },
    });
  const inPhase = ['kind', 'phase'];
  gauge('open_changes', 'Changes that have not ended, by phase', inPhase, ({ open }) =>
    open.map(({ kind, phase, changes }) => [{ kind, phase }, changes]),
  );
  gauge('phase_age_seconds', 'For how long the change that is longest in a phase is in it', inPhase, ({ open }) =>
    open.map(({ kind, phase, ageS }) => [{ kind, phase }, ageS]),
  );
  gauge('outbox_dead', 'Deliveries given up in the last 24 hours', ['channel'], ({ outbox }) =>
    outbox.map(({ channel, dead }) => [{ channel }, dead]),
  );
  gauge('outbox_oldest_seconds', 'Age of the oldest delivery that is not sent yet', ['channel'], ({ outbox }) =>
    outbox.map(({ channel, oldestS }) => [{ channel }, oldestS]),
  );
}

/** Folders of the GitOps repository that an Application of ours comes from, whatever the repository is called in the cluster. */
const OUR_PATH = /^models\/[^/]+\/(environments|retrain)\/[^/]+\/?$/;

const healthGauge = (registers: Registry[], applications: FigureSources['applications']) =>
  new Gauge({
    name: 'fairway_writer_application_health',
    help: '1 for the health that Argo CD gives an Application of a model',
    labelNames: ['application', 'health'],
    registers,
    collect() {
      this.reset();
      for (const { name, health, compared } of applications() ?? [])
        if (compared.some(({ path = '' }) => OUR_PATH.test(path))) this.set({ application: name, health }, 1);
    },
  });
