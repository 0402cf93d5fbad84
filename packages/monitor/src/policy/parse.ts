import { FairwayError } from '@fairway/core';
import { type Document, parseDocument } from 'yaml';
import type { z } from 'zod';
import { type Policy, policySchema } from './schema.ts';

/**
 * Reads a `policy.yaml`; without a `model`, that of any. Throws one `policy.invalid` error that names every wrong key in a
 * sentence.
 */
export function parsePolicy(text: string, model: string | undefined): Policy {
  const document = parseDocument(text, { prettyErrors: false });
  const broken = document.errors[0];
  if (broken !== undefined)
    throw invalid(model, [`The file is no YAML: ${broken.message} (at character ${broken.pos[0]}).`]);
  const result = policySchema.safeParse(valueOf(document, model));
  if (!result.success) throw invalid(model, result.error.issues.map(sentence));
  if (model !== undefined && result.data.model !== model)
    throw invalid(model, [`model is ${result.data.model}, but the file lies in the folder of ${model}.`]);
  return result.data;
}

/** Aliases without an anchor, or that grow beyond bounds, show only here. */
function valueOf(document: Document, model: string | undefined): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw invalid(model, [`The file is no YAML that can be used: ${(error as Error).message}.`]);
  }
}

function invalid(model: string | undefined, problems: readonly string[]): FairwayError {
  return new FairwayError(
    'policy.invalid',
    `The policy${model === undefined ? '' : ` of ${model}`} is not usable: ${problems.join(' ')}`,
    {
      detail: { problems },
    },
  );
}

type Issue = z.core.$ZodIssue;

const WORDS: Readonly<Record<string, string>> = { int: 'whole number', array: 'list' };

function sentence(issue: Issue): string {
  const key = issue.path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
  if (issue.code === 'unrecognized_keys') {
    return `${key === '' ? 'The file' : key} has ${issue.keys.length === 1 ? 'an unknown key' : 'unknown keys'} ${issue.keys.join(', ')}; check the spelling or remove ${issue.keys.length === 1 ? 'it' : 'them'}.`;
  }
  if (issue.code === 'invalid_type')
    return `${key || 'The file'} is missing or is no ${WORDS[issue.expected] ?? issue.expected}.`;
  if (issue.code === 'invalid_value')
    return `${key} must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}.`;
  if (issue.code === 'too_big')
    return `${key} must be ${issue.inclusive === false ? 'below' : 'at most'} ${issue.maximum}.`;
  if (issue.code === 'too_small' && issue.origin === 'number') {
    return `${key} must be ${issue.inclusive === false ? 'above' : 'at least'} ${issue.minimum}.`;
  }
  if (issue.code === 'not_multiple_of') return `${key} must be a multiple of ${issue.divisor}.`;
  if (issue.code === 'invalid_union')
    return `${key} must be {noise: 0.95}, {z: 1.96} or {p: 0.01, correct: benjamini-hochberg}.`;
  return `${key} ${issue.message}.`;
}
