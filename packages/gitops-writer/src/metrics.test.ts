import { expect, test } from 'vitest';
import { prometheusMetrics } from './metrics.ts';
import type { Application, OperatingFigures } from './ports.ts';

const FIGURES: OperatingFigures = {
  open: [{ kind: 'deploy', phase: 'syncing', changes: 2, ageS: 4000 }],
  outbox: [{ channel: 'teams', dead: 3, oldestS: 60 }],
};
const application = (name: string, path: string, health: string) =>
  ({ name, health, compared: [{ repoURL: '', path, revision: '' }] }) as unknown as Application;

test('what waits is read anew at each look, once for all gauges', async () => {
  let looks = 0;
  let now = FIGURES;
  const metrics = prometheusMetrics({
    figures: async () => {
      looks++;
      return now;
    },
    applications: () => undefined,
  });
  const { body } = await metrics.scrape();
  expect(body).toContain('fairway_writer_open_changes{kind="deploy",phase="syncing"} 2');
  expect(body).toContain('fairway_writer_phase_age_seconds{kind="deploy",phase="syncing"} 4000');
  expect(body).toContain('fairway_writer_outbox_dead{channel="teams"} 3');
  expect(body).toContain('fairway_writer_outbox_oldest_seconds{channel="teams"} 60');
  expect(looks).toBe(1);
  now = { open: [], outbox: [] };
  expect((await metrics.scrape()).body).not.toContain('fairway_writer_open_changes{');
});

test('a database that is away leaves its figures absent and the rest readable', async () => {
  const metrics = prometheusMetrics({
    figures: () => Promise.reject(new Error('away')),
    applications: () => [application('m-prod', 'models/m/environments/prod', 'Degraded')],
  });
  const { body } = await metrics.scrape();
  expect(body).not.toMatch(/^fairway_writer_(open_changes|phase_age_seconds|outbox_dead)\{/m);
  expect(body).toContain('fairway_writer_application_health{application="m-prod",health="Degraded"} 1');
});

test('of the Applications only those of models are told', async () => {
  const applications = () => [
    application('m-retrain-1', 'models/m/retrain/1', 'Missing'),
    application('other', 'apps/other', 'Degraded'),
  ];
  const { body } = await prometheusMetrics({ figures: async () => FIGURES, applications }).scrape();
  expect(body).toContain('fairway_writer_application_health{application="m-retrain-1",health="Missing"} 1');
  expect(body).not.toContain('application="other"');
});
