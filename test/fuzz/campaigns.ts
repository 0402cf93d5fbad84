import { archive } from './archive.ts';
import type { Campaign } from './campaign.ts';
import { framer } from './framer.ts';
import { http2 } from './http2.ts';
import { savedModel } from './savedmodel.ts';

/** By the name that `npm run fuzz -- NAME` takes. */
export const CAMPAIGNS: Readonly<Record<string, Campaign>> = { archive, framer, http2, savedmodel: savedModel };
