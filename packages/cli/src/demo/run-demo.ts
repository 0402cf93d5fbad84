import { FairwayError } from '@fairway/core';
import { checkOutputs } from '../commands/given-files.ts';
import { requireMachine } from '../commands/requirements.ts';
import { checkConfigured, configured } from '../stack/backing.ts';
import { claimFreeFolder, explainBySpace, removeFolder } from '../stack/folder.ts';
import { claimPort } from '../stack/ports.ts';
import { type Stack, startStack } from '../stack/stack.ts';
import { untilStopped } from '../stack/until-stopped.ts';
import { folderData, generatedData } from './data.ts';
import { type Screen, screen, seconds } from './screen.ts';
import { tellStory } from './story.ts';
import { cardsText, type Summary, windowsTable, writeSummary } from './summary.ts';

/** Options of `fairway demo`, as its help describes them. */
export type DemoOptions = {
  exit: boolean;
  keep: boolean;
  summary?: string;
  data?: string;
  dir: string;
  seed: number;
  port?: number;
};

/** Starts a stack of its own, tells the story on it, and takes everything away again. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const servers = configured(process.env);
  await requireMachine(servers.databaseUrl !== undefined);
  await checkConfigured(servers);
  if (options.summary !== undefined) checkOutputs([['--summary', options.summary]]);
  // Read before anything is started: a wrong file is said at once.
  const data = options.data === undefined ? generatedData(options.seed) : folderData(options.data);
  const port = options.port === undefined ? {} : { port: await claimPort(options.port) };
  const claim = await claimFreeFolder(options.dir);
  const stopped = untilStopped();
  const out = screen(process.stdout, process.env);
  out.say('\n   Fairway: from approval to production and back\n');
  let stack: Stack | undefined;
  try {
    const startedAt = Date.now();
    out.now('   …  starting the stack');
    stack = await startStack({ claim, configured: servers, fresh: true, ...port });
    const ms = Date.now() - startedAt;
    out.say(`   ✔  ${'stack started'.padEnd(34)} ${seconds(ms).padStart(7)}   dashboard ${stack.urls.monitor}`, 'good');
    const story = tellStory({
      stack,
      screen: out,
      data,
      seed: options.seed,
      now: Date.now,
      stages: [{ stage: 'stack started', ms }],
    });
    const summary = await Promise.race([story, stopped.then(() => undefined)]);
    story.catch(() => {});
    if (summary === undefined) return;
    conclude(out, summary, stack, options);
    if (!options.exit) await stopped;
  } catch (thrown) {
    const error = explainBySpace(claim.dir, thrown);
    // A process that did not start is best understood from its log; anything else leaves nothing behind.
    if (stack === undefined && !(error instanceof FairwayError && error.code === 'stack.failed')) removeFolder(claim);
    throw error;
  } finally {
    out.now('   …  stopping');
    await (options.keep ? stack?.stop() : stack?.destroy());
    claim.release();
    out.say('');
  }
}

function conclude(out: Screen, summary: Summary, stack: Stack, options: DemoOptions): void {
  out.say(`\n${windowsTable(summary.windows)}\n`);
  const { sent, stored, killedCalls } = summary;
  const difference = killedCalls > 0 ? `, ${sent - stored} lost with a killed agent` : ' — they differ!';
  out.say(
    `   ${sent} predictions sent, ${stored} stored${sent === stored ? '' : difference} · ${summary.pullRequests.length} pull requests · ${cardsText(summary)} · the story took ${seconds(summary.totalMs)}`,
  );
  if (options.summary !== undefined) {
    writeSummary(options.summary, summary);
    out.say(`   facts written to ${options.summary}`);
  }
  if (options.exit) return;
  out.say(`\n   dashboard       ${stack.urls.monitor}`);
  out.say(`   pull requests   ${stack.urls.forge}/${stack.repository}/pulls`);
  out.say(`   Teams cards     ${stack.urls.cards}`);
  out.say(`   other commands  npx fairway status --dir ${JSON.stringify(stack.dir)}`);
  out.say('\n   Ctrl-C ends the demo.\n', 'quiet');
}
