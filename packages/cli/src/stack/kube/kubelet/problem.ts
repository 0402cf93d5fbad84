/** Why a container cannot start now, in the kubelet's words; shown as its waiting state, and tried again. */
export type Problem = {
  readonly reason: 'ErrImagePull' | 'InvalidImageName' | 'CreateContainerConfigError' | 'RunContainerError';
  readonly message: string;
};

export type Attempt<T> = { readonly ok: T } | { readonly problem: Problem };

export const problem = (reason: Problem['reason'], message: string): { problem: Problem } => ({
  problem: { reason, message },
});
