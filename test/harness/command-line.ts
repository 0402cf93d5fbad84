import { parseArgs, type ParseArgsConfig } from 'node:util';

const HELP = { help: { type: 'boolean', short: 'h', default: false } } as const;

type Options = NonNullable<ParseArgsConfig['options']>;
type Given<Own extends Options> = ReturnType<typeof parseArgs<{ allowPositionals: true; options: Own }>>;

/**
 * What a command of ours was given after its name. `--help` prints the usage and ends with 0; an option that it does not have, or one
 * without its value, ends with 2.
 */
export function commandLine<const Own extends Options>(usage: string, options: Own): Given<Own> {
  const given = parsed(usage, { ...options, ...HELP });
  if (given.values['help'] === true) {
    console.log(usage);
    process.exit(0);
  }
  return given as Given<Own>;
}

function parsed(usage: string, options: Options): Given<Options> {
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    // Node goes on with advice for options that begin with a dash.
    return refuse(usage, `${(error as Error).message.split(/\.\s/, 1)[0]}.`);
  }
}

/** Ends with 2, what is wrong in a sentence, and how the command is used. */
export function refuse(usage: string, sentence: string): never {
  console.error(`${sentence}\n\n${usage}`);
  process.exit(2);
}
