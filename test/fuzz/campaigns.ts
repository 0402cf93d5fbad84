import { archive } from './archive.ts';
import type { Campaign } from './campaign.ts';

/** By the name that `npm run fuzz -- NAME` takes. */
export const CAMPAIGNS: Readonly<Record<string, Campaign>> = { archive };
