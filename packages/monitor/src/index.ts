export { parsePolicy } from './policy/parse.ts';
export type { Policy, Rule } from './policy/schema.ts';
