export type { Account } from './admin.ts';
