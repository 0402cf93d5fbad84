import { Command } from 'commander';
import { expectJson } from '../stack/http.ts';
import { connection, DEFAULT_DIR } from './connection.ts';
import { table } from './table.ts';

type Entry = { version: string; digest: string; change: string; reason: string; since: string };
type Quarantine = { entries: Entry[]; howToLift: string };
type Options = { json: boolean; dir: string };

/** `fairway quarantine`: which versions of a model must not be deployed, and how one is lifted. Git is the only way in and out. */
export function quarantineCommand(): Command {
  return new Command('quarantine')
    .description('list the versions of a model that were rolled back and must not be deployed, and how one is lifted')
    .argument('<model>', 'model name, e.g. home-equity')
    .option('--json', 'print as JSON', false)
    .option('--dir <folder>', 'folder of the running stack', DEFAULT_DIR)
    .action(quarantine);
}

async function quarantine(model: string, { json, dir }: Options): Promise<void> {
  const { writer, writerToken: token } = connection(dir, process.env);
  const url = `${writer}/v1/models/${encodeURIComponent(model)}/quarantine`;
  const { entries, howToLift } = await expectJson<Quarantine>('The writer', url, { token });
  if (json) return console.log(JSON.stringify(entries, undefined, 2));
  if (entries.length === 0) return console.log(`No version of ${model} is quarantined.`);
  const rows = entries.map(({ version, digest, since, reason }) => [`v${version}`, digest.slice(0, 19), since, reason]);
  console.log(`${table(rows)}\n\nA version is held back while its entry is there: ${howToLift}.`);
}
