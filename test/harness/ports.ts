import { freePorts } from '../../packages/cli/src/stack/ports.ts';

/** A port on 127.0.0.1 that was free a moment ago, outside the ephemeral range. */
export const freePort = async (): Promise<number> => (await freePorts(1))[0] as number;
