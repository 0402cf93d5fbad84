import { userInfo } from 'node:os';

/** Who runs the command, as the operating system says; a user id without a name where it knows none (a random one in OpenShift). */
export function whoRuns(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
