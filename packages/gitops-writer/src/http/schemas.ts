import { checkName, checkVersion, FairwayError, PHASES, type RetrainRequest } from '@fairway/core';
import { z } from 'zod';
import type { ApprovalInput } from '../app/intake.ts';
import type { ChangeFilter } from '../ports.ts';

/** One line of text: it becomes a commit trailer. */
const line = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    // oxlint-disable-next-line no-control-regex
    .regex(/^[^\u0000-\u001f\u007f\u2028\u2029]+$/, 'must be one line without control characters');
const checked = (check: (value: string) => string) =>
  z.string().superRefine((value, context) => {
    try {
      check(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message.replace(/\.$/, '') });
    }
  });
const model = checked((value) => checkName('Model', value));
const environment = checked((value) => checkName('Environment', value));
const version = checked(checkVersion);
const time = z.iso.datetime({ offset: true });
const hex = z.string().regex(/^[0-9a-f]{64}$/);

const approvalSchema = z.strictObject({
  eventId: line(200),
  model,
  version,
  environment,
  actor: line(200),
  time: time.optional(),
  evidence: z.string().max(4_000).optional(),
  answerTo: z.string().max(2_000).optional(),
});

const finding = z.looseObject({
  rule: z.string().max(200),
  metric: z.string().max(200),
  value: z.number(),
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
});
const verdict = z.looseObject({
  id: line(200),
  window: z.looseObject({ model, version, environment, period: line(40), start: line(40), end: line(40) }),
  state: z.enum(['healthy', 'warning', 'alert', 'insufficient']),
  metrics,
  findings: z.array(finding).max(500),
});
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
const retrainSchema = z.strictObject({
  kind: z.literal('retrain'),
  model,
  version,
  environment,
  dedupeKey: line(500),
  actor: line(200),
  verdict,
  snapshot,
  windows: z.array(verdict).max(1_000),
});

const filterSchema = z.strictObject({
  model: z.string().max(100).optional(),
  kind: z.enum(['deploy', 'retrain', 'rollback', 'retire']).optional(),
  phase: z.enum(PHASES).optional(),
  environment: z.string().max(100).optional(),
});

/** The body of `POST /v1/approvals`. Throws `input.invalid` naming every field that is wrong. */
export function parseApproval(body: unknown): ApprovalInput {
  const { time, evidence, answerTo, ...rest } = parse(approvalSchema, body, 'The approval');
  return {
    ...rest,
    ...(time === undefined ? {} : { time: new Date(time).toISOString() }),
    ...(evidence === undefined ? {} : { evidence }),
    ...(answerTo === undefined ? {} : { answerTo }),
  };
}

/** The body of `POST /v1/changes`: what the writer reads of it is checked, the rest is carried as it is. */
export function parseRetrainRequest(body: unknown): RetrainRequest {
  return parse(retrainSchema, body, 'The retrain request') as unknown as RetrainRequest;
}

export const parseFilter = (query: unknown): ChangeFilter => parse(filterSchema, query, 'The query');

function parse<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.slice(0, 10).map(({ path, message }) => {
    const at = path.join('.');
    return at === '' ? message : `${at}: ${message}`;
  });
  throw new FairwayError('input.invalid', `${what} is not usable: ${problems.join('; ')}.`, { detail: { problems } });
}
