export { type UnpackLimits, UNPACK_LIMITS } from './limits.ts';
export { REGISTRATION_FILES, unpackModel } from './model.ts';
export { privateFolder, sweepScratch } from './scratch.ts';
export { pathTree } from './tree.ts';
export { type Unpacked, type UnpackOptions, unpack } from './unpack.ts';
