import { FairwayError } from '@fairway/core';
import { Command } from 'commander';
import { expectJson } from '../stack/http.ts';
import { type Connection, connection, DEFAULT_DIR } from './connection.ts';
import { printable } from './printable.ts';
import { table } from './table.ts';

type Listed = { dead: boolean; json: boolean; dir: string };
type Resent = { all: boolean; json: boolean; dir: string };

type Notification = {
  readonly deliveryId: string;
  readonly channel: string;
  readonly event: string;
  readonly title: string;
  readonly at: string;
  readonly state: string;
  readonly attempts?: number;
  readonly reason?: string;
};
type Service = {
  readonly from: 'writer' | 'monitor';
  readonly what: string;
  readonly url: string;
  readonly token: string;
};

/** `fairway notifications`: what people were told, and sending again what was given up. */
export function notificationsCommand(): Command {
  const resend = new Command('resend')
    .description('send again what was given up, under its delivery id')
    .argument('[id]', 'delivery id')
    .option('--all', 'everything that was given up', false)
    .option('--json', 'print as JSON', false)
    .option('--dir <folder>', 'folder of the running stack', DEFAULT_DIR)
    .action(resendDead);
  return new Command('notifications')
    .description('list what people and workflows were told, newest first')
    .option('--dead', 'only what was given up', false)
    .option('--json', 'print as JSON', false)
    .option('--dir <folder>', 'folder of the running stack', DEFAULT_DIR)
    .action(list)
    .addCommand(resend);
}

/** Both services have an outbox of their own. */
function servicesOf({ writer, writerToken, monitor, monitorToken }: Connection): readonly Service[] {
  const first = { from: 'writer', what: 'The writer', url: writer, token: writerToken } as const;
  if (monitor === undefined || monitorToken === undefined) return [first];
  return [first, { from: 'monitor', what: 'The monitor', url: monitor, token: monitorToken }];
}

async function list({ dead, json, dir }: Listed): Promise<void> {
  const services = servicesOf(connection(dir, process.env));
  const lists = await Promise.all(
    services.map(async ({ from, what, url, token }) => {
      const path = `${url}/v1/notifications${dead ? '?state=dead' : ''}`;
      const { notifications } = await expectJson<{ notifications: Notification[] }>(what, path, { token });
      return notifications.map((one) => ({ ...one, from }));
    }),
  );
  const all = lists.flat().sort((a, b) => b.at.localeCompare(a.at));
  if (json) return console.log(JSON.stringify({ notifications: all }, undefined, 2));
  if (all.length === 0) return console.log(dead ? 'Nothing was given up.' : 'Nobody was told anything yet.');
  const rows = all.map(({ at, from, channel, state, event, title, deliveryId, reason }) =>
    [at, from, channel, state, event, deliveryId, reason === undefined ? title : `${title}: ${reason}`].map(printable),
  );
  console.log(table([['at', 'from', 'channel', 'state', 'event', 'delivery', 'what'], ...rows]));
}

async function resendDead(id: string | undefined, _own: Resent, command: Command): Promise<void> {
  // The options of the command above are spelt the same, and it takes them first.
  const { all, json, dir } = command.optsWithGlobals<Resent>();
  if ((id === undefined) !== all)
    throw new FairwayError(
      'input.invalid',
      'Name one delivery id, or say --all: "fairway notifications --dead" lists them.',
    );
  const body = id === undefined ? { all: true } : { ids: [id] };
  const answers = await Promise.all(
    servicesOf(connection(dir, process.env)).map(({ what, url, token }) =>
      expectJson<{ resent: string[] }>(what, `${url}/v1/notifications/resend`, { token, body }),
    ),
  );
  const resent = answers.flatMap((answer) => answer.resent);
  if (json) return console.log(JSON.stringify({ resent }, undefined, 2));
  if (id !== undefined && resent.length === 0)
    throw new FairwayError(
      'input.invalid',
      `No delivery ${printable(id)} was given up that a channel is there for: "fairway notifications --dead" lists them, with reasons.`,
    );
  console.log(resent.length === 0 ? 'Nothing was given up.' : `Sent again: ${resent.map(printable).join(', ')}`);
}
