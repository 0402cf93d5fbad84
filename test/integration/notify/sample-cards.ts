import type { CardContent } from '@fairway/core';
import { planNotifications } from '../../../packages/monitor/src/app/plan-notifications.ts';
import type { PendingCard } from '../../../packages/monitor/src/ports/notify.ts';

const alert: CardContent = {
  event: 'alert',
  title: 'home_equity no longer performs as approved (2025Q3, prod)',
  text: 'AUC is 0.612: it lost 23.4 % against its baseline, limit 10.0 % (1,200 rows).\nPSI of DEBTINC is 0.412, limit 0.100 (1,200 rows; chance alone reaches 0.021).',
  facts: [
    { title: 'Model', value: 'home_equity, version 3' },
    { title: 'Window', value: '2025-07-01 to 2025-10-01 UTC' },
    { title: 'Predictions', value: '1,200, 98 % labelled' },
    { title: 'AUC', value: '0.612 (95 % interval 0.571 to 0.653)' },
    { title: 'Largest PSI', value: '0.412 (DEBTINC)' },
    { title: 'Policy', value: 'b10b5f3e9a1c' },
  ],
  links: [{ title: 'Open the dashboard', url: 'https://dash.example/models/home_equity' }],
  deliveryId: 'card-0f3a9c7e51b2d84410aa',
  tone: 'attention',
};
const pending = (n: number, held: boolean): PendingCard => ({
  id: `card-${n}`,
  event: held ? 'recovered' : 'alert',
  title: `credit-risk-model-${n} ${held ? 'performs well again' : 'no longer performs as approved'} (2025Q3, prod)`,
  model: `credit-risk-model-${n}`,
  content: { ...alert, deliveryId: `card-${n}`, tone: held ? 'good' : 'attention' },
  to: undefined,
  link: undefined,
  ageMs: 10_000,
  held,
});
const gathered = (n: number, held: boolean): CardContent => {
  const cards = Array.from({ length: n }, (_, i) => pending(i, held));
  const settings = { channels: ['teams'], quiet: undefined, fleetModels: 5, gatherMs: 0 } as const;
  const [only] = planNotifications(cards, { ...settings, dashboardUrl: 'https://dash.example' }, 0).deliveries;
  return only?.content ?? alert;
};
/** Of each shape that is told, and one whose texts try to be something else. */
export const CARDS: Record<string, CardContent> = {
  alert,
  recovered: {
    ...alert,
    event: 'recovered',
    title: 'home_equity performs well again (2025Q4, prod)',
    text: 'All rules of the policy hold.',
    tone: 'good',
  },
  fleet: gathered(400, false),
  digest: gathered(8, true),
  hostile: {
    ...alert,
    title: '*bold* <at>Everyone</at> [click](https://evil.example) '.repeat(5),
    text: 'x'.repeat(5_000),
  },
};
