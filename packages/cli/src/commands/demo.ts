import { Command } from 'commander';
import type { DemoOptions } from '../demo/run-demo.ts';
import { portNumber, wholeNumber } from './numbers.ts';

/** `fairway demo`: the whole story on the embedded stack. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('tell the whole story on this machine: approval, pull request, live, decay, retraining, live again')
    .option('--exit', 'end by itself; without it the dashboard stays up until Ctrl-C', false)
    .option('--summary <file>', 'write the facts of the story as JSON')
    .option('--data <folder>', 'use CSV files: train.csv to train on, perf_*.csv as the quarters (comma or semicolon)')
    .option('--seed <n>', 'seed of the generated data and the training', wholeNumber, 7)
    .option('--port <n>', 'port of the dashboard (found when not given)', portNumber)
    .option('--dir <folder>', 'folder of the stack; emptied first and removed at the end', '.fairway/demo')
    .option('--keep', 'keep the folder at the end, to look at logs and data', false)
    .action(async (options: DemoOptions) => (await import('../demo/run-demo.ts')).runDemo(options));
}
