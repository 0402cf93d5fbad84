import { performance } from 'node:perf_hooks';
import {
  answerAdmin,
  asFairwayError,
  type EnvOf,
  type Lifecycle,
  lifecycle,
  type Logger,
  readEnv,
  runService,
  systemClock,
} from '@fairway/core';
import { pino } from 'pino';
import { certificates } from './injector/certificates.ts';
import { clusterVersion } from './injector/cluster.ts';
import { INJECTOR_ENV } from './injector/config.ts';
import { injectorMetrics } from './injector/metrics.ts';
import { adminServer, LIMITS, tlsServer } from './injector/servers.ts';
import { answerWebhook } from './injector/webhook.ts';

/** API servers send at most 3 MiB to a webhook, and a pod is smaller by far. */
const MOST_BYTES = 3 * 1024 * 1024;
const CERTIFICATES_EVERY_MS = 60_000;

/** Everything of the injector, wired. */
function injector(env: EnvOf<typeof INJECTOR_ENV>, log: Logger): Lifecycle {
  const metrics = injectorMetrics(() => keys.pair?.expiresAt);
  const keys = certificates(
    { cert: env.TLS_CERT_FILE, key: env.TLS_KEY_FILE, everyMs: CERTIFICATES_EVERY_MS },
    { clock: systemClock, log, told: metrics.certificate },
  );
  const host = env.KUBERNETES_SERVICE_HOST;
  const api =
    host === undefined ? undefined : { host, port: env.KUBERNETES_SERVICE_PORT, account: env.SERVICE_ACCOUNT_DIR };
  const cluster = clusterVersion(env.KUBERNETES_VERSION, api, log);
  const template = { image: env.AGENT_IMAGE, queueSecret: env.QUEUE_SECRET };
  const webhook = {
    surroundings: () => ({ template, sidecar: env.SIDECAR, minor: cluster.version?.minor }),
    reviewed: metrics.reviewed,
    monotonic: () => performance.now(),
    log,
    mostBytes: MOST_BYTES,
  };
  const server = tlsServer({ host: env.HOST, port: env.PORT }, keys, LIMITS, (request, response) => {
    void answerWebhook(webhook, request, response);
  });
  const admin = {
    ready: () => (service.running ? keys.trouble() : 'the injector is starting or stopping'),
    metrics: async () => ({ contentType: metrics.registry.contentType, body: await metrics.registry.metrics() }),
  };
  const probes = adminServer({ host: env.HOST, port: env.ADMIN_PORT }, (request, response) => {
    if (!answerAdmin(admin, request, response)) response.writeHead(404).end();
  });
  const service = lifecycle([probes, keys, cluster, server], log);
  return service;
}

async function main(): Promise<void> {
  try {
    const env = readEnv(process.env, INJECTOR_ENV);
    const log = pino({ level: env.LOG_LEVEL, base: { service: 'injector' } });
    await runService(injector(env, log), log, process, env.FAIRWAY_DEBUG);
  } catch (error) {
    process.stderr.write(`${asFairwayError(error).message}\n`);
    process.exitCode = 1;
  }
}

await main();
