type Result = { readonly fullName: string; readonly status: string; readonly failureMessages: readonly string[] };
/** What vitest's JSON reporter writes, as far as it is used, with the errors outside tests. */
export type Report = {
  readonly success: boolean;
  readonly testResults: ReadonlyArray<{
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly Result[];
  }>;
  readonly unhandled: ReadonlyArray<{ readonly file: string; readonly message: string }>;
};
export function retried(report: Report): string[];
export function troubled(report: Report): Map<string, string>;
export function withResults(first: Report, second: Report): Report & Readonly<Record<string, unknown>>;
