/** Every error code of Fairway with its default disposition. Docs and tests read this table. */
export const ERROR_CODES = {
  'config.invalid': 'terminal',
  'input.invalid': 'terminal',
  'auth.refused': 'terminal',
  'auth.forbidden': 'terminal',
  'model.unknown': 'terminal',
  'model.invalid': 'terminal',
  'model.changed': 'terminal',
  'environment.unknown': 'terminal',
  'change.unknown': 'terminal',
  'change.refused': 'terminal',
  'registry.unavailable': 'retryable',
  'image.failed': 'retryable',
  'git.race': 'retryable',
  'git.refused': 'terminal',
  'git.unavailable': 'retryable',
  'forge.unavailable': 'retryable',
  'forge.refused': 'terminal',
  'cluster.unavailable': 'retryable',
  'sync.failed': 'terminal',
  'monitor.unavailable': 'retryable',
  'database.unavailable': 'retryable',
  'queue.unavailable': 'retryable',
  'policy.invalid': 'terminal',
  'pack.invalid': 'terminal',
  'notify.unavailable': 'retryable',
  'notify.refused': 'terminal',
  'machine.unfit': 'terminal',
  'disk.full': 'retryable',
  'port.taken': 'terminal',
  'stack.failed': 'terminal',
  unknown: 'retryable',
} as const satisfies Record<string, 'retryable' | 'terminal'>;

export type ErrorCode = keyof typeof ERROR_CODES;
export type Disposition = 'retryable' | 'terminal';

/** The one error class. `message` is a sentence for a person: what is wrong and how to mend it. */
export class FairwayError extends Error {
  override readonly name = 'FairwayError';
  readonly code: ErrorCode;
  readonly disposition: Disposition;
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { detail?: Record<string, unknown>; cause?: unknown; disposition?: Disposition } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.disposition = options.disposition ?? ERROR_CODES[code];
    this.detail = options.detail ?? {};
  }
}

/** Any thrown value as a FairwayError; what we do not know is `unknown` and retryable (the caller caps the tries). */
export function asFairwayError(thrown: unknown): FairwayError {
  if (thrown instanceof FairwayError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new FairwayError('unknown', message, { cause: thrown });
}
