import type { PolicyTest, TestedWindow } from '../ports.ts';
import { most } from './body.ts';
import { code, count, counted, plain, quote, short, table } from './markdown.ts';

/** A policy of a pull request and the one that it would replace; undefined: there is no file. */
export type PolicyEdit = {
  readonly model: string;
  readonly proposed: PolicyTest | undefined;
  readonly current: PolicyTest | undefined;
};

/** More windows are counted, not shown; the newest are shown. */
const SHOWN = 40;

/** For the marker that the forge puts behind it. */
const MARKER_ROOM = 100;

/**
 * What the policies of a commit would have said of the stored windows, in at most `limit` characters: of many models without tables, of
 * very many a line each. The same tests give the same bytes. It names the commit, because it stays when a later one edits no policy.
 */
export function policyComment(edits: readonly PolicyEdit[], commit: string, limit: number): string {
  const room = limit - MARKER_ROOM;
  const whole = (parts: readonly string[]) =>
    ['### What this policy would have said', ...parts, end(commit)].join('\n\n');
  const text = whole(edits.map((edit) => section(edit, true)));
  if (text.length <= room) return text;
  const brief = whole(edits.map((edit) => section(edit, false)));
  return brief.length <= room ? brief : most(edits.length, room, (shown) => whole([lines(edits, shown)]));
}

const end = (commit: string): string =>
  `Tested as of commit ${code(short(commit))}, on the windows that were stored then, with the labels that were known then. A later commit is tested again where it edits a policy.`;

/** What cannot be used comes first. */
function lines(edits: readonly PolicyEdit[], shown: number): string {
  const isRefused = ({ proposed }: PolicyEdit) => proposed?.kind === 'refused';
  const sorted = [...edits.filter(isRefused), ...edits.filter((edit) => !isRefused(edit))];
  const told = sorted.slice(0, shown).map((edit) => `- **${plain(edit.model)}**: ${outcome(edit)}`);
  const more = sorted.length - told.length;
  return [...told, ...(more > 0 ? [`- ${count(more)} more, for which there is no room.`] : [])].join('\n');
}

function outcome({ proposed }: PolicyEdit): string {
  if (proposed === undefined) return 'taken away';
  if (proposed.kind === 'refused') return '**cannot be used**';
  return proposed.kind === 'untested' ? 'nothing to try it on' : alertsOf(proposed.windows);
}

/** The same in the words of a commit status. */
export function policyStatus(edits: readonly PolicyEdit[]): { state: 'success' | 'failure'; description: string } {
  const refused = edits.filter(({ proposed }) => proposed?.kind === 'refused');
  if (refused.length > 0) {
    const names = refused.map(({ model }) => model).join(', ');
    return { state: 'failure', description: `The policy of ${names} cannot be used; see the comment` };
  }
  const windows = edits.flatMap(({ proposed }) => (proposed?.kind === 'tested' ? proposed.windows : []));
  return { state: 'success', description: alertsOf(windows) };
}

/** Of a commit from a fork that brings too much to be read. */
export function policyUnread(commit: string, largerThanMib: number): string {
  return [
    '### This pull request is too large to be read',
    `Its head ${code(short(commit))} comes from a fork and brings more than ${count(largerThanMib)} MiB that this repository does not have. Fairway has kept nothing of it, and cannot say whether it edits a policy.`,
    'Take the large files out of its commits, or have somebody who may write push the branch to this repository.',
  ].join('\n\n');
}

/** The same in the words of a commit status. */
export const policyUnreadStatus = (largerThanMib: number): ReturnType<typeof policyStatus> => ({
  state: 'failure',
  description: `More than ${count(largerThanMib)} MiB from a fork, which is not read; see the comment`,
});

function alertsOf(windows: readonly TestedWindow[]): string {
  const [alerts, opened] = [windows.filter(isAlert).length, windows.filter(({ opens }) => opens).length];
  return `${counted(alerts, 'alert')} over ${counted(windows.length, 'stored window')}, ${counted(opened, 'retraining')}`;
}

const isAlert = ({ state }: TestedWindow): boolean => state === 'alert';

function section({ model, proposed, current }: PolicyEdit, hasTable: boolean): string {
  const title = `**${plain(model)}** (${code(`models/${model}/policy.yaml`)})`;
  if (proposed === undefined) {
    return `${title}\n\nThe file is taken away: once this is merged, windows of the model are not judged any more.`;
  }
  if (proposed.kind === 'refused') {
    return `${title}\n\n**It cannot be used**, so no window would be judged by it:\n\n${quote(proposed.reason)}`;
  }
  if (proposed.kind === 'untested') {
    return `${title}\n\nIt can be used, and there is nothing to try it on:\n\n${quote(proposed.reason)}`;
  }
  const before = current?.kind === 'tested' ? new Map(current.windows.map((one) => [keyOf(one), one])) : undefined;
  return [
    title,
    plain(proposed.summary),
    ...proposed.problems.map((problem) => `⚠ ${plain(problem)}`),
    differenceFrom(current, proposed.windows, before),
    ...(hasTable ? windowTable(proposed.windows, before) : []),
  ].join('\n\n');
}

type Before = ReadonlyMap<string, TestedWindow> | undefined;

const keyOf = ({ environment, version, period }: TestedWindow): string =>
  JSON.stringify([environment, version, period]);

function differenceFrom(current: PolicyEdit['current'], windows: readonly TestedWindow[], before: Before): string {
  if (before === undefined) {
    const why = current === undefined ? 'there is none' : 'that one cannot be tested';
    return `There is no comparison with the policy of the default branch: ${why}.`;
  }
  const changed = windows.filter((one) => isOther(one, before)).length;
  const opened = (of: Iterable<TestedWindow>) => [...of].filter(({ opens }) => opens).length;
  return `Against the policy of the default branch ${count(changed)} of ${counted(windows.length, 'window')} would be judged otherwise; ${counted(opened(windows), 'retrain pull request')} instead of ${count(opened(before.values()))}.`;
}

function isOther(window: TestedWindow, before: Before): boolean {
  const was = before?.get(keyOf(window));
  return before !== undefined && (was?.state !== window.state || was.opens !== window.opens);
}

/** Windows that would warn or alert, or be judged otherwise than now. */
function windowTable(windows: readonly TestedWindow[], before: Before): string[] {
  const telling = windows.filter((one) => one.state === 'alert' || one.state === 'warning' || isOther(one, before));
  if (telling.length === 0) return ['No stored window would have warned or alerted.'];
  const rows = telling.slice(-SHOWN).map((one) => {
    const was = before?.get(keyOf(one));
    return [
      plain(one.period),
      plain(one.version),
      plain(one.environment),
      count(one.rows),
      before === undefined ? '–' : (was?.state ?? 'not judged'),
      isOther(one, before) ? `**${one.state}**` : one.state,
      one.opens ? 'opened' : '',
      plain(one.rules.join(', ')),
    ];
  });
  const head = ['window', 'version', 'environment', 'rows', 'policy now', 'this policy', 'retraining', 'rules'];
  const more = telling.length - rows.length;
  return [table(head, rows), ...(more > 0 ? [`${count(more)} earlier ones are not shown.`] : [])];
}
