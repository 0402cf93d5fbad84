export { type UnpackLimits, UNPACK_LIMITS } from './limits.ts';
export { type Unpacked, unpack } from './unpack.ts';
