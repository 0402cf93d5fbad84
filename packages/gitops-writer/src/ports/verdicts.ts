import type { VerdictState } from '@fairway/core';

/** What monitoring says of a version that is live. */
export type Verdicts = {
  /** Why a version must not go further now, in a sentence; undefined when nothing speaks against it. Throws when nobody can tell. */
  inAlert(model: string, version: string, environment: string): Promise<string | undefined>;
};

/** A stored window as a policy would have judged it. */
export type TestedWindow = {
  readonly version: string;
  readonly environment: string;
  readonly period: string;
  readonly rows: number;
  readonly state: VerdictState;
  readonly rules: readonly string[];
  /** A retrain pull request would have been opened. */
  readonly opens: boolean;
};

export type PolicyTest =
  | {
      readonly kind: 'tested';
      /** Oldest first. */
      readonly windows: readonly TestedWindow[];
      /** What the policy asks for that a version lacks, and the answer as a whole, in sentences. */
      readonly problems: readonly string[];
      readonly summary: string;
    }
  /** The policy cannot be used, in the parser's words. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** It can, but there is no window to try it on. */
  | { readonly kind: 'untested'; readonly reason: string };

export type PolicyTester = {
  /** What the text of a policy.yaml would have said of the stored windows. Throws when nobody can tell, or `signal` ends it. */
  test(model: string, policy: string, signal: AbortSignal): Promise<PolicyTest>;
};
