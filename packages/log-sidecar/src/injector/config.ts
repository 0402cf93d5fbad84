import { choice, type EnvSpec, flag, integer, optionalText, type Reader, text } from '@fairway/core';
import { parseVersion, type Version } from './version.ts';

const readVersion: Reader<Version | undefined> = (raw) => {
  if (raw === undefined) return { value: undefined };
  const value = parseVersion(raw);
  return value === undefined ? { problem: 'must be a version such as 1.29' } : { value };
};

const readImage: Reader<string> = (raw) => {
  if (raw === undefined) return { problem: 'is not set' };
  return /^[\w.:/@-]{1,500}$/.test(raw)
    ? { value: raw }
    : { problem: 'must be the reference of an image, best by digest: name@sha256:…' };
};

const readSecret: Reader<string> = (raw) =>
  /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(raw ?? 'fairway-queue')
    ? { value: raw ?? 'fairway-queue' }
    : { problem: 'must be the name of a Secret' };

const port = (about: string, fallback: number) => integer(about, { min: 1, max: 65_535, fallback });

/** The injector's environment (docs/contracts.md). */
export const INJECTOR_ENV = {
  HOST: text('address of both ports', '0.0.0.0'),
  PORT: port('port of the webhook, TLS', 8443),
  ADMIN_PORT: port('port of /healthz, /readyz and /metrics, without TLS', 9090),
  TLS_CERT_FILE: text(
    'PEM file with the certificate and those between it and its authority, read again when it changes',
  ),
  TLS_KEY_FILE: text('PEM file with its key'),
  AGENT_IMAGE: { about: 'image of the agent', read: readImage },
  QUEUE_SECRET: { about: "Secret with keys url and prefix in each model's namespace", read: readSecret },
  SIDECAR: choice('how the agent is put into pods', ['auto', 'native', 'plain'], 'auto'),
  KUBERNETES_VERSION: { about: 'version of the cluster; asked from its API when not set', read: readVersion },
  KUBERNETES_SERVICE_HOST: optionalText("address of the cluster's API, set in every pod"),
  KUBERNETES_SERVICE_PORT: port("port of the cluster's API", 443),
  SERVICE_ACCOUNT_DIR: text('folder with token and ca.crt', '/var/run/secrets/kubernetes.io/serviceaccount'),
  LOG_LEVEL: choice('least severity that is logged', ['debug', 'info', 'warn', 'error'], 'info'),
  FAIRWAY_DEBUG: flag('print the stack of a fatal error', false),
} as const satisfies EnvSpec;
