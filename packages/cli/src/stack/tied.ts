import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/**
 * Sends `signal` to a process that we have started as soon as we are gone, however we went: SIGKILL leaves no time to stop anything. A
 * shell waits for a word from us, which comes when the process has ended, or for the end of our pipe.
 */
export function tieToUs(child: ChildProcess, signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): void {
  const watch = spawn(
    'sh',
    ['-c', 'read -r _ || kill -s "$1" "$2"', 'sh', signal.slice('SIG'.length), String(child.pid)],
    // A group of its own: a Ctrl-C in the terminal must not end it before us.
    { stdio: ['pipe', 'ignore', 'ignore'], detached: true },
  );
  watch.on('error', () => {});
  watch.stdin.on('error', () => {});
  watch.unref();
  (watch.stdin as Socket).unref();
  child.once('exit', () => watch.stdin.end('\n'));
}
