import { resolve } from 'node:path';
import { Command } from 'commander';
import type { AuditFinding, AuditReport, Served } from '@fairway/gitops-writer';
import { printable } from './printable.ts';
import { sentence } from './sentence.ts';
import { table } from './table.ts';

type Options = { branch: string; signatures: boolean; json: boolean };

const FOUND = 1;
const CANNOT = 2;

/** `fairway audit`: proves from a clone of the GitOps repository alone that what serves is what was approved. */
export function auditCommand(): Command {
  return new Command('audit')
    .description('prove from a clone, offline, that every manifest came from an approved change and from nothing else')
    .argument('[path]', 'a clone of the GitOps repository', '.')
    .option('--branch <name>', 'the branch that Argo CD follows', 'main')
    .option('--signatures', 'every commit that carries a change must be signed by a key that git trusts here', false)
    .option('--json', 'print the report as JSON', false)
    .addHelpText('after', '\nExit codes: 0 nothing found · 1 findings · 2 it cannot be audited, the last line says why')
    .action(run);
}

async function run(path: string, { branch, signatures, json }: Options): Promise<void> {
  const report = await audited(resolve(path), branch, signatures);
  if (report === undefined) return;
  if (json) console.log(JSON.stringify(report, undefined, 2));
  else print(report);
  if (report.findings.length > 0) process.exitCode = FOUND;
}

async function audited(folder: string, branch: string, signatures: boolean): Promise<AuditReport | undefined> {
  // Only this command needs the writer's code.
  const { audit } = await import('@fairway/gitops-writer');
  try {
    return await audit({ folder, branch, signatures, environment: process.env });
  } catch (error) {
    console.error(`fairway: ${sentence(error)}`);
    process.exitCode = CANNOT;
    return undefined;
  }
}

function print({ ref, commit, commits, changes, served, findings }: AuditReport): void {
  console.log(`${ref} at ${commit}: ${commits} commits, ${changes} changes that hold\n`);
  if (served.length > 0) console.log(`${table([HEAD, ...served.map(row)])}\n`);
  for (const finding of findings) console.log(`${told(finding)}\n`);
  const summary = findings.length === 1 ? '1 finding' : `${findings.length} findings`;
  console.log(findings.length === 0 ? 'The chain holds: nothing came past an approved change.' : `${summary}.`);
}

const HEAD = ['model', 'environment', 'version', 'from', 'until', 'approved by', 'event', 'change'];

function row({
  model,
  environment,
  version,
  from,
  until,
  approvedBy,
  event,
  change,
  broughtBy,
  proven,
}: Served): string[] {
  const by = broughtBy === undefined ? '' : `, restored by ${broughtBy}`;
  return [
    model,
    environment,
    proven ? `v${version ?? '?'}` : `v${version ?? '?'}, not as approved`,
    minute(from),
    until === undefined ? 'now' : minute(until),
    approvedBy ?? '-',
    event ?? '-',
    `${change ?? '-'}${by}`,
  ].map(printable);
}

function told({ message, commit, author, date, paths }: AuditFinding): string {
  const shown = paths.slice(0, 5).map((path) => `    ${path}`);
  if (paths.length > shown.length) shown.push(`    and ${paths.length - shown.length} more`);
  return [`✘ ${message}`, `  commit ${commit} of ${minute(date)} by ${author}`, ...shown].map(printable).join('\n');
}

const minute = (time: string): string => {
  const at = new Date(time);
  return Number.isNaN(at.getTime()) ? time : `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
};
