import { Gauge, type Registry } from 'prom-client';
import type { ChannelFigures } from '../ports/notify.ts';

/** What each channel took, still has to take, and did not. While the database is away the figures are absent. */
export function notificationGauges(registry: Registry, figures: () => Promise<readonly ChannelFigures[]>): void {
  const gauge = (name: string, help: string, labelNames: string[], show: (to: Gauge, one: ChannelFigures) => void) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        const channels = await figures().catch(() => []);
        this.reset();
        for (const one of channels) show(this, one);
      },
    });
  gauge(
    'fairway_notifications',
    'Messages by channel and state; dead: given up, to be sent again by hand',
    ['channel', 'state'],
    (to, { channel, states }) => {
      for (const [state, count] of Object.entries(states)) to.set({ channel, state }, count);
    },
  );
  gauge(
    'fairway_notification_last_accepted_timestamp_seconds',
    'When the channel last took a message; whether anybody saw it, no channel says',
    ['channel'],
    (to, { channel, lastAccepted }) => {
      if (lastAccepted !== undefined) to.set({ channel }, lastAccepted);
    },
  );
}
