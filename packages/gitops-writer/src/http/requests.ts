import { z } from 'zod';
import { environment, hex, line, model, named, version } from './fields.ts';

/** The bodies of `POST /v1/changes`, told apart by `kind`. */

const finding = z.looseObject({
  rule: z.string().max(200),
  metric: z.string().max(200),
  value: z.number(),
  compared: z
    .looseObject({
      as: z.enum(['relative-decay', 'absolute-decay', 'segment']),
      figure: z.number(),
      against: z.number(),
    })
    .optional(),
  limit: z.number(),
  sample: z.number(),
  severity: z.enum(['warning', 'alert']),
  message: z.string().max(1_000),
});
const figure = z.number().nullable();
const metrics = z.looseObject({
  predictions: z.number(),
  labelled: z.number(),
  auc: figure,
  ks: figure,
  psi: z.record(z.string(), figure),
  classification: z.looseObject({ recall: z.record(z.string(), figure) }).optional(),
});
const segment = z.looseObject({
  where: z.record(z.string(), z.string().max(500)),
  labelled: z.number(),
  eventRate: figure,
  metric: line(40),
  value: z.number(),
  interval: z.tuple([z.number(), z.number()]),
  overall: z.number(),
});
const unanswered = z.looseObject({
  rules: z.array(z.string().max(200)).max(500),
  reason: z.string().max(1_000),
});
const verdict = named(
  'Verdict',
  z.looseObject({
    id: line(200),
    window: z.looseObject({ model, version, environment, period: line(40), start: line(40), end: line(40) }),
    state: z.enum(['healthy', 'warning', 'alert', 'insufficient']),
    metrics,
    findings: z.array(finding).max(500),
    unanswered: z.array(unanswered).max(500).optional(),
    segments: z.array(segment).max(100).optional(),
  }),
);
const snapshot = z.looseObject({
  id: line(200),
  // A bare file name: it is joined to the snapshot volume.
  file: z.string().regex(/^[A-Za-z0-9][\w.-]{0,200}$/, 'must be a plain file name'),
  query: z.string().max(20_000),
  start: line(40),
  end: line(40),
  rows: z.int().min(0),
  labels: z.int().min(0),
  events: z.int().min(0),
  columns: z.array(z.looseObject({ name: z.string(), type: z.enum(['number', 'string', 'timestamp']) })).max(5_000),
  sha256: hex,
});

const moved = z.looseObject({
  kind: z.enum(['inputs', 'scores', 'labels', 'calibration', 'relation']),
  variable: z.string().max(500).optional(),
  value: figure,
  before: figure,
  strength: z.number(),
  share: z.number(),
  sentence: z.string().max(1_000),
});
/** Nothing that could run, load or lead anywhere: forges show the file to people. */
const ACTIVE =
  /<(?!\/?(?:svg|title|desc|style|g|line|path|circle|rect|text|tspan)[\s/>])|\son\w+\s*=|href|url\(|@import|&#/i;
const chart = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/),
  title: line(1_000),
  svg: z
    .string()
    .max(100_000)
    .refine(
      (text) => text.startsWith('<svg ') && !ACTIVE.test(text),
      'must be a plain drawing: shapes, text and styles only',
    ),
});

const asked = { model, environment, dedupeKey: line(500), actor: line(200) };

/** What the writer reads of it is checked, the rest is carried as it is. */
const retrain = named(
  'RetrainRequest',
  z.strictObject({
    kind: z.literal('retrain'),
    ...asked,
    version,
    verdict,
    snapshot,
    windows: z.array(verdict).max(1_000),
    moved: z.array(moved).max(5_000).optional(),
    charts: z.array(chart).max(8).optional(),
  }),
);
const rollback = named(
  'RollbackRequest',
  z.strictObject({ kind: z.literal('rollback'), ...asked, version: version.optional(), reason: line(500) }),
);
const retire = named(
  'RetireRequest',
  z.strictObject({ kind: z.literal('retire'), ...asked, reason: line(500), confirm: z.string().max(200) }),
);

export const withdrawal = named('Withdrawal', z.strictObject({ actor: line(200), reason: line(500) }));

export const changeRequest = z.discriminatedUnion('kind', [retrain, rollback, retire]);
