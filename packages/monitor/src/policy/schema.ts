import { z } from 'zod';
import { METRIC_NAMES, metricOf } from '../metrics/registry.ts';

const PERIODS = ['hour', 'day', 'week', 'month', 'quarter'] as const;
const DURATION = /^P(?=\d|T\d)(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?$/;

/** ISO 8601 duration of days, hours and minutes, in milliseconds. */
const duration = z
  .string()
  .regex(DURATION, 'must be a duration of days, hours or minutes such as P14D or PT12H')
  .transform((text) => {
    const [, days = '0', hours = '0', minutes = '0'] = DURATION.exec(text) ?? [];
    return ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60_000;
  });

const share = z.number().min(0).max(1);
const amount = z.number().int().min(0);
const severity = z.enum(['warning', 'alert']);

const rule = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and hyphens'),
    metric: z.enum(METRIC_NAMES),
    /** `each-input` or the name of one input; only for metrics of inputs. */
    scope: z.string().min(1).optional(),
    compare: z.enum(['value', 'relative-decay', 'absolute-decay']).default('value'),
    op: z.enum(['>', '>=', '<', '<=']),
    limit: z.number(),
    guard: z
      .union([z.strictObject({ noise: z.number().gt(0).lt(1) }), z.strictObject({ z: z.number().gt(0).max(10) })])
      .optional(),
    periods: z.strictObject({ n: z.number().int().min(1).max(24), of: z.number().int().min(1).max(24) }).optional(),
    severity,
  })
  .superRefine((given, context) => {
    for (const [path, message] of contradictions(given)) context.addIssue({ code: 'custom', path: [path], message });
  });

type RuleShape = {
  metric: (typeof METRIC_NAMES)[number];
  scope?: string | undefined;
  compare: string;
  guard?: { noise: number } | { z: number } | undefined;
  periods?: { n: number; of: number } | undefined;
};

/** What the shape alone cannot say, as [key, sentence]. */
function contradictions({ metric, scope, compare, guard, periods }: RuleShape): Array<[string, string]> {
  const { name, scope: wanted, guards, held } = metricOf(metric);
  const found: Array<[string, string]> = [];
  if (wanted === 'each-input' && scope === undefined)
    found.push(['scope', `is needed for ${name}: each-input, or the name of one input`]);
  if (wanted === 'window' && scope !== undefined)
    found.push(['scope', `does not fit ${name}, which is one figure per window; leave it out`]);
  if (compare !== 'value' && held === null) {
    found.push([
      'compare',
      `cannot be ${compare} for ${name}, which is a comparison with the baseline already; use value`,
    ]);
  }
  const kind = guard === undefined ? undefined : 'noise' in guard ? 'noise' : 'z';
  if (kind !== undefined && !guards.includes(kind)) {
    found.push([
      'guard',
      `${kind} is not known for ${name}; ${guards.length === 0 ? 'leave it out' : `use ${guards.join(' or ')}`}`,
    ]);
  }
  if (kind === 'z' && compare === 'value')
    found.push(['guard', 'z compares with the baseline; it needs compare: relative-decay or absolute-decay']);
  if (periods !== undefined && periods.n > periods.of)
    found.push(['periods', 'asks for more breaches (n) than periods (of)']);
  return found;
}

export const policySchema = z
  .strictObject({
    apiVersion: z.literal('fairway.dev/v1'),
    kind: z.literal('Policy'),
    model: z.string().min(1),
    period: z.strictObject({ every: z.enum(PERIODS), labelDelay: duration.optional(), coverageFloor: share }),
    minimum: z.strictObject({ rows: amount, events: amount, rowsPerBin: amount }),
    rules: z.array(rule).min(1, 'holds no rule; a policy needs at least one'),
    retrain: z.strictObject({ on: z.literal('alert'), cooldown: duration }).optional(),
    notify: z.strictObject({ on: z.array(z.enum(['warning', 'alert', 'recovered'])) }),
  })
  .superRefine(({ rules }, context) => {
    const ids = rules.map(({ id }) => id);
    const twice = ids.find((id, index) => ids.indexOf(id) !== index);
    if (twice !== undefined)
      context.addIssue({ code: 'custom', path: ['rules'], message: `use the id ${twice} twice; ids must differ` });
  });

/** The monitoring rules of a model. Durations are milliseconds. */
export type Policy = z.output<typeof policySchema>;
export type Rule = Policy['rules'][number];
export type PeriodLength = (typeof PERIODS)[number];
