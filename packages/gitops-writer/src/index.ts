export { WRITER_ENV, type WriterEnv } from './config.ts';
