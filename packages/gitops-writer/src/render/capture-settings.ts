import { z } from 'zod';
import { line, objectName } from './fields.ts';

const column = line(200);
/** Scoring logs of a program that asks no TensorFlow Serving (docs/tail.md). */
const tailSchema = z.strictObject({
  claim: objectName,
  stateClaim: objectName,
  files: line(500).regex(
    /^(?!.*\.\.)[^,/][^,]*$/,
    'must be one path or pattern below the root of the claim, such as scores.csv*',
  ),
  time: column,
  score: column,
  label: column.optional(),
  recorder: line(500)
    .regex(/^https?:\/\/[^\s/@]+(\/[^\s@]*)?$/, 'must be an http(s) address without user or password')
    .optional(),
  delimiter: z
    .string()
    .regex(/^(.|tab)$/u, 'must be one character or tab')
    .optional(),
});

const ACTION = /^(drop|hash|truncate:[1-9]\d{0,3})$/;

/** What the agent is told; its own limits (docs/contracts.md), so that a wrong value is refused here and not in the pod. */
export const captureSchema = z.strictObject({
  eventTime: z.enum(['wall-clock', 'header']).default('wall-clock'),
  sampling: z.number().min(0).max(1).optional(),
  redact: z
    .record(line(200), z.string().regex(ACTION, 'must be drop, hash or truncate:N with N from 1 to 9999'))
    .optional(),
  bodyBytes: z.int().min(1024).max(16_777_216).optional(),
  agent: z.enum(['sidecar', 'injector']).default('sidecar'),
  tail: tailSchema.optional(),
});

type Written = z.infer<typeof captureSchema>;

/** Settings of the agent that somebody gave; what is left out keeps the agent's own value. */
export type CaptureSettings = {
  /** Whether callers' `x-fairway-time` is the time of a prediction. */
  readonly trustEventTime: boolean;
  /** Probability that an exchange is recorded. */
  readonly sampling?: number;
  /** Variable → `drop`, `hash` or `truncate:N`. */
  readonly redact?: Readonly<Record<string, string>>;
  /** Bytes kept of each body. */
  readonly bodyBytes?: number;
  /** Whether the pod has the agent in it, or the injector's webhook puts it there. */
  readonly agent: 'sidecar' | 'injector';
  readonly tail?: TailSettings;
};

/** Names of columns, and where the log and the tail's checkpoints lie. */
export type TailSettings = Omit<z.infer<typeof tailSchema>, 'label' | 'recorder' | 'delimiter'> & {
  readonly delimiter?: string;
  /** With the recorder's address. */
  readonly label?: { readonly column: string; readonly recorder: string };
};

/** With every default filled in. */
export function captureSettings({ eventTime, tail, ...capture }: Written): CaptureSettings {
  return {
    trustEventTime: eventTime === 'header',
    ...(capture as Omit<CaptureSettings, 'trustEventTime' | 'tail'>),
    ...(tail === undefined ? {} : { tail: tailSettings(tail) }),
  };
}

function tailSettings({ label, recorder, delimiter, ...tail }: z.infer<typeof tailSchema>): TailSettings {
  return {
    ...tail,
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(label === undefined || recorder === undefined ? {} : { label: { column: label, recorder } }),
  };
}

/** What is wrong with the section, sentences without their full stop. */
export function captureProblems({ tail }: Written): string[] {
  if ((tail?.label === undefined) === (tail?.recorder === undefined)) return [];
  return ['capture.tail needs label and recorder together: labels are sent to the recorder'];
}
