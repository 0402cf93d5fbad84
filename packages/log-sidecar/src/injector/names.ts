/** Label that asks for the agent (`true`); the annotation of the same name may say `false`. */
export const INJECT = 'fairway.dev/inject';
/** What was injected, as JSON; who finds it complete has nothing left to do. */
export const STATUS = 'fairway.dev/status';
/** `kubectl exec` and `logs` go there when no container is named. */
export const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';
export const OURS = 'fairway.dev/';

/** A text of others in a warning: quoted, without control characters, short. The API server cuts warnings at 256 characters. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
