import { checkName, checkVersion } from '@fairway/core';
import { z } from 'zod';

/** What the OpenAPI document says about a schema besides what zod knows: `id` makes it a named component. */
export const DOCUMENTED = z.registry<{ id?: string; description?: string; pattern?: string; maxLength?: number }>();

/** A schema with a name of its own in the OpenAPI document. */
export function named<S extends z.ZodType>(id: string, schema: S): S {
  DOCUMENTED.add(schema, { id });
  return schema;
}

/** One line of text, at most `max` characters: it becomes a commit trailer. */
export const line = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    // oxlint-disable-next-line no-control-regex
    .regex(/^[^\u0000-\u001f\u007f\u2028\u2029]+$/, 'must be one line without control characters');

function checked(pattern: string, maxLength: number, check: (value: string) => string) {
  const schema = z.string().superRefine((value, context) => {
    try {
      check(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message.replace(/\.$/, '') });
    }
  });
  DOCUMENTED.add(schema, { pattern, maxLength });
  return schema;
}

const NAME = '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$';
export const model = checked(NAME, 63, (value) => checkName('Model', value));
export const environment = checked(NAME, 63, (value) => checkName('Environment', value));
export const version = checked('^[1-9][0-9]{0,17}$', 18, checkVersion);

export const time = z.iso.datetime({ offset: true });
export const hex = z.string().regex(/^[0-9a-f]{64}$/);
export const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256:<64 hex digits>');
