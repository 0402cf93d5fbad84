import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** What is wrong with the field that an issue is about, in words that say the mend; a schema's own words stay as they are. */
export function wording(issue: Issue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return at(value, issue.path) === undefined ? 'is missing' : `must be ${KINDS[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return mustBe(issue.values);
    case 'invalid_union':
      return 'options' in issue && Array.isArray(issue.options) ? mustBe(issue.options) : issue.message;
    case 'unrecognized_keys':
      return `there is no field ${issue.keys.map((key) => JSON.stringify(key.slice(0, 100))).join(', ')}`;
    case 'too_small':
      return bound(issue.origin, issue.minimum, 'least');
    case 'too_big':
      return bound(issue.origin, issue.maximum, 'most');
    default:
      return issue.message;
  }
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

const mustBe = (values: readonly unknown[]): string =>
  values.length === 1 ? `must be ${String(values[0])}` : `must be one of ${values.map(String).join(', ')}`;

const UNITS: Readonly<Record<string, string>> = { string: 'characters', array: 'entries' };

function bound(origin: string, limit: number | bigint, which: 'least' | 'most'): string {
  const unit = UNITS[origin];
  if (unit === undefined) return `must be at ${which} ${limit}`;
  if (which === 'least' && limit === 1) return 'must not be empty';
  return `must have at ${which} ${limit} ${unit}`;
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value;
  for (const key of path) found = (found as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return found;
}
