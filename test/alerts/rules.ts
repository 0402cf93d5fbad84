import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from '../guards/source.ts';

export type Rule = {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string };
};
export type RuleSpec = { readonly groups: ReadonlyArray<{ readonly name: string; readonly rules: readonly Rule[] }> };

/** Folder of the kustomize component. */
export const COMPONENT = join(ROOT, 'manifests/install/components/monitoring');
const CASES = join(ROOT, 'test/alerts/cases');

export const ruleSpec = (): RuleSpec =>
  (parse(readFileSync(join(COMPONENT, 'rules.yaml'), 'utf8')) as { spec: RuleSpec }).spec;

export const rules = (): readonly Rule[] => ruleSpec().groups.flatMap((group) => group.rules);

export type CaseFile = { readonly name: string; readonly text: string };
export const caseFiles = (): readonly CaseFile[] =>
  readdirSync(CASES).map((name) => ({ name, text: readFileSync(join(CASES, name), 'utf8') }));

const KEYWORDS = new Set(['and', 'or', 'unless', 'by', 'without', 'on', 'ignoring', 'offset', 'bool']);

/** Names of the metrics that an expression of PromQL asks for. Subset: no `@`, no quoted metric names. */
export function metricsOf(expr: string): string[] {
  const bare = expr
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ')
    .replaceAll(/\boffset\s+\S+/g, ' ');
  const words = [...bare.matchAll(/[a-zA-Z_:][a-zA-Z0-9_:]*(?!\w)(?!\s*\()/g)].map(([word]) => word);
  return [...new Set(words.filter((word) => !KEYWORDS.has(word)))];
}
