import type { Route } from '../route.ts';
import { approvals } from './approvals.ts';
import { changes } from './changes.ts';
import { hooks } from './hooks.ts';
import { models } from './models.ts';
import { notifications } from './notifications.ts';
import { openapi } from './openapi.ts';
import { rebuilding } from './rebuild.ts';
import { webhooks } from './webhooks.ts';

/** To add a resource: its file and one entry here. */
const RESOURCES: readonly Route[] = [approvals, changes, hooks, models, notifications, rebuilding, webhooks].flat();

/** Every operation of the API. */
export const ROUTES: readonly Route[] = [...RESOURCES, openapi(RESOURCES)];
