import { type Clock, type EnvOf, isKnownTeamsHost, type Logger, type Part, urlOrigin } from '@fairway/core';
import type { PlanSettings } from './app/plan-notifications.ts';
import { planNotifications } from './app/plan-notifications.ts';
import { rounds } from './app/rounds.ts';
import { sendDelivery } from './app/send.ts';
import type { NOTIFY_ENV } from './notify-config.ts';
import type { Channel, NotificationStore, Notifier } from './ports/notify.ts';
import { mailNotifier } from './notify/mail/notifier.ts';
import { teamsNotifier } from './notify/teams/notifier.ts';
import { webhookNotifier } from './notify/webhook/notifier.ts';

type Env = EnvOf<typeof NOTIFY_ENV> & { readonly DASHBOARD_URL: string | undefined };

/** How long the plan and each channel rest when there was nothing to do. */
const REST_MS = 250;
/** Between two looks at what keeps checks from being made. */
const WATCH_REST_MS = 10_000;

/** The channels that are configured, by name. */
export function notifiers(env: Env, clock: Clock): ReadonlyMap<Channel, Notifier> {
  const found = new Map<Channel, Notifier>();
  if (env.TEAMS_WEBHOOK_URL !== undefined) found.set('teams', teamsNotifier(env.TEAMS_WEBHOOK_URL, clock));
  const { NOTIFY_WEBHOOK_URL: url, NOTIFY_WEBHOOK_SECRET: secret } = env;
  if (url !== undefined && secret !== undefined) found.set('webhook', webhookNotifier({ url, secret }, clock));
  const { SMTP_HOST: host, SMTP_USER: user, SMTP_PASSWORD: password, MAIL_FROM: from, MAIL_TO: to } = env;
  if (host !== undefined && from !== undefined) {
    const login = user === undefined || password === undefined ? undefined : { user, password };
    const { SMTP_PORT: port, SMTP_SECURITY: security, SMTP_CA: ca } = env;
    found.set('mail', mailNotifier({ host, port, security, ca, login, from, to }));
  }
  return found;
}

/** Plans what goes to whom, and sends it: each channel by itself, so that one that is dead or slow holds up no other. */
export function notifyParts(
  env: Env,
  channels: ReadonlyMap<Channel, Notifier>,
  store: NotificationStore,
  watch: () => Promise<boolean>,
  clock: Clock,
  log: Logger,
): Part[] {
  if (channels.size === 0) return [];
  const teams = env.TEAMS_WEBHOOK_URL;
  if (teams !== undefined && !isKnownTeamsHost(teams))
    log.info(
      { host: urlOrigin(teams) },
      'TEAMS_WEBHOOK_URL is on a host that is not known from Teams; it is used as it is',
    );
  const settings: PlanSettings = {
    channels: [...channels.keys()],
    quiet:
      env.QUIET_HOURS === undefined
        ? undefined
        : { ...env.QUIET_HOURS, zone: env.QUIET_ZONE, exempt: env.QUIET_EXEMPT },
    fleetModels: env.NOTIFY_FLEET_MODELS,
    gatherMs: env.NOTIFY_GATHER_MS,
    dashboardUrl: env.DASHBOARD_URL,
  };
  const plan = async () => (await store.plan((cards) => planNotifications(cards, settings, clock.now()))) > 0;
  return [
    rounds('check watch', watch, WATCH_REST_MS, log),
    rounds('notifications', plan, REST_MS, log),
    ...[...channels].map(([channel, notifier]) =>
      rounds(`${channel} messages`, () => sendDelivery(store, channel, notifier, log), REST_MS, log),
    ),
  ];
}
