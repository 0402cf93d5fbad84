import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { beforeAll, expect, test } from 'vitest';
import { prometheusMetrics } from '../../packages/gitops-writer/src/metrics.ts';
import { injectorMetrics } from '../../packages/log-sidecar/src/injector/metrics.ts';
import { createMetrics } from '../../packages/log-sidecar/src/metrics.ts';
import { createTailCounts } from '../../packages/log-sidecar/src/tail/counts.ts';
import { tailMetrics } from '../../packages/log-sidecar/src/tail/metrics.ts';
import { createTally } from '../../packages/log-sidecar/src/tally.ts';
import { notificationGauges } from '../../packages/monitor/src/api/notification-metrics.ts';
import { monitorMetrics, recorderMetrics } from '../../packages/monitor/src/api/prometheus.ts';
import { ROOT } from '../guards/source.ts';
import { caseFiles, COMPONENT, metricsOf, rules } from './rules.ts';

/** Prometheus gives it to every target. */
const OF_PROMETHEUS = ['up'];
const RUNBOOKS = join(ROOT, 'docs/runbooks');
const never = () => Promise.reject(new Error('not asked in this test'));

/** What each service shows, from its own registry, as a scrape sees it; sources that fail change no name. */
async function shown(): Promise<string> {
  const clock = { now: () => 0 };
  const state = () => ({ packs: 0, exchanges: 0, earlier: 0, bytes: 0, oldestAt: undefined, inMemory: 0 });
  const no = () => false;
  const agent = { tally: createTally, redacting: () => 0, spool: { state }, spoolLimit: 1, queueUp: no, queueFull: no };
  const behind = () => ({ files: 0, openFiles: 0, bytesBehind: 0, bytesMissing: 0, behindSince: undefined });
  const tail = { counts: createTailCounts(), state: behind, flowing: no, monotonic: () => 0 };
  const recorder = { account: never, risks: () => [], depth: never, figures: never, clock };
  const monitor = monitorMetrics().registry;
  notificationGauges(monitor, never);
  const texts = await Promise.all([
    createMetrics({ ...agent, clock }).metrics(),
    tailMetrics(tail).metrics(),
    injectorMetrics(() => undefined).registry.metrics(),
    recorderMetrics(recorder).registry.metrics(),
    monitor.metrics(),
    prometheusMetrics({ figures: never, applications: () => undefined })
      .scrape()
      .then(({ body }) => body),
  ]);
  return texts.join('\n');
}

const registered = new Set<string>(OF_PROMETHEUS);
beforeAll(async () => {
  for (const [, name = '', kind] of (await shown()).matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    for (const suffix of kind === 'histogram' ? ['_bucket', '_sum', '_count'] : [''])
      registered.add(`${name}${suffix}`);
  }
});

type Panel = {
  readonly title: string;
  readonly targets?: ReadonlyArray<{ readonly expr: string; readonly datasource: { readonly uid: string } }>;
};
type Dashboard = {
  readonly __inputs: ReadonlyArray<{ readonly name: string; readonly pluginId: string }>;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: ReadonlyArray<{ readonly name: string; readonly type: string; readonly definition?: string }>;
  };
};
const dashboard = JSON.parse(readFileSync(join(COMPONENT, 'dashboard.json'), 'utf8')) as Dashboard;
const unknown = (exprs: readonly string[]) => exprs.flatMap(metricsOf).filter((name) => !registered.has(name));

test('metric names are found in expressions', () => {
  expect(
    metricsOf('sum by (a, b) (rate(x_total{c="y_total"}[5m] offset 1w)) / on (a) z > 2 * time() and up == 1'),
  ).toEqual(['x_total', 'z', 'up']);
});

test('every metric in an alert is one that a service registers', () => {
  expect(registered.size).toBeGreaterThan(60);
  expect(unknown(['fairway_agent_spool_bytes > fairway_no_such_metric'])).toEqual(['fairway_no_such_metric']);
  expect(unknown(rules().map(({ expr }) => expr))).toEqual([]);
});

test('every metric on the dashboard is one that a service registers', () => {
  const exprs = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  expect(exprs.length).toBeGreaterThan(10);
  expect(unknown(exprs)).toEqual([]);
  const asked = dashboard.templating.list.flatMap(({ definition }) => definition?.match(/\bfairway_\w+/g) ?? []);
  expect(asked.filter((name) => !registered.has(name))).toEqual([]);
});

test('the dashboard can be imported anywhere: its data source is a variable and an input', () => {
  expect(dashboard.__inputs.map(({ pluginId }) => pluginId)).toEqual(['prometheus']);
  expect(dashboard.templating.list.find(({ type }) => type === 'datasource')?.name).toBe('datasource');
  const uids = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ datasource }) => datasource.uid));
  expect(new Set(uids)).toEqual(new Set(['${datasource}']));
});

test('every alert has a page that names it, and every page an alert', () => {
  const pages = rules().map(({ alert, annotations }) => {
    const page = annotations.runbook_url.split('/docs/runbooks/')[1] ?? '';
    expect(existsSync(join(RUNBOOKS, page)), `${alert}: docs/runbooks/${page}`).toBe(true);
    expect(readFileSync(join(RUNBOOKS, page), 'utf8').split('\n')[0]).toBe(`# ${alert}`);
    return page;
  });
  const written = readdirSync(RUNBOOKS).filter((name) => name !== 'README.md');
  expect(written.toSorted()).toEqual(pages.toSorted());
});

const SECTIONS = ['Meaning', 'See it', 'Causes', 'Do', 'Escalate'];

test('every page has the same sections, and names only commands and metrics that exist', () => {
  const commands = readFileSync(join(ROOT, 'packages/cli/src/commands/registry.ts'), 'utf8');
  for (const name of readdirSync(RUNBOOKS)) {
    const text = readFileSync(join(RUNBOOKS, name), 'utf8');
    if (name !== 'README.md')
      expect(
        [...text.matchAll(/^## (.*)$/gm)].map(([, title]) => title),
        name,
      ).toEqual(SECTIONS);
    for (const [, command] of text.matchAll(/`(?:npx )?fairway ([a-z]+)/g))
      expect(commands, name).toContain(`${command}:`);
    const metrics = [...text.matchAll(/\bfairway_[a-z_]+[a-z]/g)].map(([metric]) => metric);
    expect(
      metrics.filter((metric) => !registered.has(metric)),
      name,
    ).toEqual([]);
  }
});

type Cases = {
  readonly tests: ReadonlyArray<{
    readonly alert_rule_test: ReadonlyArray<{ readonly alertname: string; readonly exp_alerts: readonly unknown[] }>;
  }>;
};

test('every alert has a case in which it fires and one in which it does not', () => {
  const checks = caseFiles().flatMap(({ text }) => (parse(text) as Cases).tests.flatMap((one) => one.alert_rule_test));
  const names = (fires: boolean) =>
    new Set(checks.filter((one) => one.exp_alerts.length > 0 === fires).map(({ alertname }) => alertname));
  const alerts = new Set(rules().map(({ alert }) => alert));
  expect(names(true)).toEqual(alerts);
  expect(names(false)).toEqual(alerts);
});
