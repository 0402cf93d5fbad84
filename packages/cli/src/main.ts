import { Command, Option } from 'commander';
import { commands } from './commands/registry.ts';
import { sentence } from './commands/sentence.ts';
import pkg from '../package.json' with { type: 'json' };

// A reader that goes away early (`fairway status | head`) is no error.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const program = new Command('fairway')
  .description('Carries machine-learning models from approval to production, and back for retraining.')
  .version(pkg.version)
  .option('--debug', 'show stack traces')
  // A command may have a --version of its own, as rollback has.
  .enablePositionalOptions()
  .showHelpAfterError('(run with --help for the usage)')
  .configureHelp({ showGlobalOptions: true })
  .addHelpText('after', '\nExit codes: 0 done · 1 failed, the last line says why · 2 wrong usage');

// The help, and what is no command, need them all.
const asked = process.argv[2] ?? '';
const loads = Object.hasOwn(commands, asked) ? [commands[asked]] : Object.values(commands);
for (const load of loads) if (load !== undefined) program.addCommand((await load())());
prepare(program);
for (const command of program.commands) command.addOption(new Option('--debug').hideHelp());

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
} finally {
  // The channel to the starting process would keep this one alive.
  if (process.connected) process.disconnect();
}

/** Wrong usage of a command, also of one below another (`policy test`), comes to {@link report} with its exit code. */
function prepare(command: Command): void {
  command.exitOverride();
  for (const below of command.commands) prepare(below);
}

/** Prints what went wrong as one sentence; answers the exit code. */
function report(error: unknown): number {
  const { code, exitCode } = error as { code?: string; exitCode?: number };
  // commander has printed help, version or its own usage error already.
  if (code?.startsWith('commander.')) return exitCode === 0 ? 0 : 2;
  console.error(`fairway: ${sentence(error)}`);
  const debug = [program, ...program.commands].some((command) => command.opts<{ debug?: boolean }>().debug === true);
  if (debug) console.error((error as Error).stack);
  return 1;
}
