export { isPostgres } from './backend.ts';
export { type QueueDepth, queueDepth } from './depth.ts';
export { type JobQueue, jobQueue, type Jobs, type QueueOptions } from './queue.ts';
export { type JobHandler, type JobWorker, jobWorker, type WorkerOptions } from './worker.ts';
