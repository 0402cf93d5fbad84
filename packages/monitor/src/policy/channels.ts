import type { Policy } from './schema.ts';

/**
 * What a policy's `notify.to` asks of a monitor that has these channels and not others, a sentence for each name; none when it has
 * them all. Windows are judged all the same, and what nobody can send is kept as given up (app/plan-notifications.ts).
 */
export function unknownChannels({ notify }: Pick<Policy, 'notify'>, channels: readonly string[]): string[] {
  const events = new Map<string, string[]>();
  for (const [event, names] of Object.entries(notify.to ?? {})) {
    for (const name of new Set(names)) events.set(name, [...(events.get(name) ?? []), event]);
  }
  return [...events].flatMap(([name, of]) =>
    channels.includes(name) ? [] : [`notify.to names ${name} for ${listed(of)}, ${lacking(channels)}`],
  );
}

/** Why a name is no channel here, and which are. */
export const lacking = (channels: readonly string[]): string =>
  channels.length === 0
    ? 'and this monitor has no channel at all: nobody is told anything.'
    : `which is no channel of this monitor: it has ${listed(channels)}. Check the spelling, or configure the channel.`;

const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
