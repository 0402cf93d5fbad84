import { z } from 'zod';
import { MOST_SEGMENT_INPUTS } from '../metrics/segment-counts.ts';
import { METRIC_NAMES, metricOf } from '../metrics/registry.ts';
import { impossible } from './ranges.ts';

export const PERIODS = ['hour', 'day', 'week', 'month', 'quarter'] as const;
const DURATION = /^P(?=\d|T\d)(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?$/;

const DAY_MS = 86_400_000;
/** A hundred years: never, and still a time that a clock can say. */
const MOST_DAYS = 36_500;

/** ISO 8601 duration of days, hours and minutes, in milliseconds. */
const duration = z
  .string()
  .regex(DURATION, 'must be a duration of days, hours or minutes such as P14D or PT12H')
  .transform((text) => {
    const [, days = '0', hours = '0', minutes = '0'] = DURATION.exec(text) ?? [];
    return ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60_000;
  })
  .refine((ms) => ms <= MOST_DAYS * DAY_MS, `must be at most P${MOST_DAYS}D`);

/** A day in UTC, as the moment at which it begins. */
const day = z
  .string()
  .refine((text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && isDay(text), 'must be a day such as 2026-12-01')
  .transform((text) => `${text}T00:00:00.000Z`);

const isDay = (text: string): boolean => {
  const time = Date.parse(`${text}T00:00:00.000Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
};

const share = z.number().min(0).max(1);
const amount = z.number().int().min(0);
const severity = z.enum(['warning', 'alert']);

const periods = z
  .strictObject({ n: z.number().int().min(1).max(24), of: z.number().int().min(1).max(24) })
  .refine(({ n, of }) => n <= of, 'asks for more windows (n) than periods (of)');

/** Evidence beside the limit. p is corrected for the number of inputs that one check looks at. */
const guard = z.union([
  z.strictObject({ noise: z.number().gt(0).lt(1) }),
  z.strictObject({ z: z.number().gt(0).max(10) }),
  z.strictObject({
    p: z.number().gt(0).lt(1),
    correct: z.enum(['benjamini-hochberg', 'bonferroni', 'none']).default('benjamini-hochberg'),
  }),
]);

/** Of a mean absolute error, as a share of that of the whole window. */
const MOST_OF_ERROR = 100;

const EVENTS = ['warning', 'alert', 'recovered', 'healthy'] as const;

const rule = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and hyphens'),
    metric: z.enum(METRIC_NAMES),
    /** `each-input` or the name of one input, for metrics of inputs; `each-class` or the name of one class, for those of classes. */
    scope: z.string().min(1).optional(),
    compare: z.enum(['value', 'relative-decay', 'absolute-decay']).default('value'),
    op: z.enum(['>', '>=', '<', '<=']),
    limit: z.number(),
    guard: guard.optional(),
    /** The rule speaks once n of the newest m windows that it could be evaluated on breach the limit. */
    periods: periods.optional(),
    /** Once it has spoken it goes on until n of m windows lie on the milder side of this limit. */
    leave: z.strictObject({ limit: z.number(), periods: periods.optional() }).optional(),
    severity,
  })
  .superRefine((given, context) => {
    for (const [path, message] of contradictions(given)) context.addIssue({ code: 'custom', path: [path], message });
  });

type RuleShape = Parameters<typeof impossible>[0] & {
  readonly scope?: string | undefined;
  readonly guard?: z.output<typeof guard> | undefined;
};

/** What the shape alone cannot say, as [key, sentence]. */
function contradictions(given: RuleShape): Array<[string, string]> {
  const { metric, scope, compare } = given;
  const { name, scope: wanted, guards, held } = metricOf(metric);
  const found: Array<[string, string]> = [];
  if (wanted === 'each-input' && scope === undefined)
    found.push(['scope', `is needed for ${name}: each-input, or the name of one input`]);
  if (wanted === 'each-class' && scope === undefined)
    found.push(['scope', `is needed for ${name}: each-class, or the name of one class`]);
  if (wanted === 'window' && scope !== undefined)
    found.push(['scope', `does not fit ${name}, which is one figure per window; leave it out`]);
  if (compare !== 'value' && held === null) {
    found.push([
      'compare',
      `cannot be ${compare} for ${name}, which is a comparison with the baseline already; use value`,
    ]);
  } else found.push(...impossible(given));
  const kind = given.guard === undefined ? undefined : guardKind(given.guard);
  if (kind !== undefined && !guards.includes(kind)) {
    found.push([
      'guard',
      `${kind} is not known for ${name}; ${guards.length === 0 ? 'leave it out' : `use ${guards.join(' or ')}`}`,
    ]);
  }
  if (kind === 'z' && compare === 'value')
    found.push(['guard', 'z compares with the baseline; it needs compare: relative-decay or absolute-decay']);
  return found;
}

const guardKind = (given: z.output<typeof guard>): 'noise' | 'z' | 'p' =>
  'noise' in given ? 'noise' : 'z' in given ? 'z' : 'p';

/**
 * How much worse a segment is than the whole window (AUC, accuracy; mean absolute error as a share of it), or its mean score lies
 * from its event rate (calibration).
 */
const segmentRule = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and hyphens'),
    /** Inputs that the baseline declares; left out: all of them. */
    of: z.array(z.string().min(1)).min(1).max(MOST_SEGMENT_INPUTS).optional(),
    /** Look at every two of them too. */
    pairs: z.boolean().default(false),
    metric: z.enum(['auc', 'calibration', 'accuracy', 'mae']),
    limit: z.number().gt(0).max(MOST_OF_ERROR),
    /** Labelled rows of a segment, and events and non-events among them, that it takes to look at it. */
    minimum: z.strictObject({ rows: z.number().int().min(1), events: z.number().int().min(2).optional() }),
    guard: z.strictObject({
      p: z.number().gt(0).lt(1),
      correct: z.enum(['benjamini-hochberg', 'bonferroni', 'none']).default('bonferroni'),
    }),
    /** As of other rules, for each segment by itself. */
    periods: periods.optional(),
    leave: z.strictObject({ limit: z.number().gt(0), periods: periods.optional() }).optional(),
    severity,
  })
  .superRefine(({ metric, limit, leave, minimum }, context) => {
    const say = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (metric !== 'mae' && limit >= 1) say('limit', `must be below 1: a difference of ${metric} is no larger`);
    if ((metric === 'auc' || metric === 'calibration') && minimum.events === undefined)
      say('minimum', `needs events for ${metric}: so many of each outcome`);
    if (leave !== undefined && leave.limit > limit)
      say('leave', `must have a limit milder than ${limit}, so at most that`);
  });

export const policySchema = z
  .strictObject({
    apiVersion: z.literal('fairway.dev/v1'),
    kind: z.literal('Policy'),
    model: z.string().min(1),
    period: z.strictObject({ every: z.enum(PERIODS), labelDelay: duration.optional(), coverageFloor: share }),
    minimum: z.strictObject({ rows: amount, events: amount, rowsPerBin: amount }),
    rules: z.array(rule).min(1, 'holds no rule; a policy needs at least one'),
    segments: z.array(segmentRule).min(1).max(10).optional(),
    /** A prediction is "event" from this score on, for accuracy, recall and the like. Scores are counted in 1e-4 bins. */
    cutoff: share.multipleOf(0.0001).optional(),
    /** One retrain change of a model is open at a time, whatever the policy: `maxOpen` says so where a reader expects it. */
    retrain: z
      .strictObject({
        on: z.literal('alert'),
        cooldown: duration,
        maxOpen: z.literal(1).optional(),
        snoozeUntil: day.optional(),
      })
      .optional(),
    notify: z.strictObject({
      on: z.array(z.enum(EVENTS)),
      /** Names of channels by event; every channel where an event is not named. */
      to: z.partialRecord(z.enum(EVENTS), z.array(z.string().min(1)).min(1)).optional(),
    }),
  })
  .superRefine(({ rules, segments = [], notify }, context) => {
    const ids = [...rules, ...segments].map(({ id }) => id);
    const twice = ids.find((id, index) => ids.indexOf(id) !== index);
    if (twice !== undefined)
      context.addIssue({ code: 'custom', path: ['rules'], message: `use the id ${twice} twice; ids must differ` });
    const unheard = EVENTS.find((event) => notify.to?.[event] !== undefined && !notify.on.includes(event));
    if (unheard !== undefined)
      context.addIssue({ code: 'custom', path: ['notify', 'to'], message: `names ${unheard}, which notify.on lacks` });
  });

/** The monitoring rules of a model. Durations are milliseconds. */
export type Policy = z.output<typeof policySchema>;
export type Rule = Policy['rules'][number];
export type SegmentRule = z.output<typeof segmentRule>;
export type PeriodLength = (typeof PERIODS)[number];
