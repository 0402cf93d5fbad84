import { Command } from 'commander';
import type { UpOptions } from '../demo/run-up.ts';
import { DEFAULT_DIR } from './connection.ts';
import { portNumber } from './numbers.ts';

/** `fairway up`: the embedded stack, with the example model live in `dev`, until it is stopped. */
export function upCommand(): Command {
  return new Command('up')
    .description('start the embedded stack and keep it up until Ctrl-C; the example model is brought live in dev')
    .option('--json', 'print URL and pid of every process as JSON once all is ready', false)
    .option('--port <n>', 'port of the dashboard (found when not given)', portNumber)
    .option('--dir <folder>', 'folder of the stack; kept, so that the next start goes on from it', DEFAULT_DIR)
    .option('--empty', 'deploy no model', false)
    .option('--fresh', 'forget what the folder holds and start from nothing', false)
    .action(async (options: UpOptions) => (await import('../demo/run-up.ts')).runUp(options));
}
