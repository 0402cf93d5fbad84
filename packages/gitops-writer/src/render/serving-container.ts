import { resourcesOf } from './fields.ts';
import type { ServingSettings } from './serving-settings.ts';
import { containerSecurity, DRAIN_SECONDS, metadataOf, settingsOf, type Workload } from './workload.ts';

const CONFIG = 'fairway-serving';
const MOUNT = '/etc/fairway/serving';
const BATCHING = 'batching.config';
const MONITORING = 'monitoring.config';
/** Where TensorFlow Serving tells its metrics, on the REST port. */
export const METRICS_PATH = '/monitoring/prometheus/metrics';

/** Without batching and metrics TensorFlow Serving needs no file. */
export const needsConfig = ({ batching, metrics }: ServingSettings): boolean =>
  batching !== undefined || metrics !== undefined;

/** An unknown size counts as a large model's: what this file said before it knew of sizes. */
const UNKNOWN_LOAD_SECONDS = 540;
const LEAST_LOAD_SECONDS = 120;
/** A cold disk on a network gives no less. */
const BYTES_PER_SECOND = 5 * 1024 * 1024;
/** CUDA looks for devices and compiles kernels at the first start. */
const GPU_LOAD_SECONDS = 120;

/** How long the model may take until it is AVAILABLE, its warm-up included. */
export function loadSecondsOf(workload: Workload): number {
  const { loadSeconds, gpu } = settingsOf(workload);
  if (loadSeconds !== undefined) return loadSeconds;
  const { bytes } = workload.modelVersion;
  const bySize = bytes === undefined ? UNKNOWN_LOAD_SECONDS : LEAST_LOAD_SECONDS + Math.ceil(bytes / BYTES_PER_SECOND);
  return bySize + (gpu === undefined ? 0 : GPU_LOAD_SECONDS);
}

/** TensorFlow Serving: the model image, with its probes. */
export function servingContainer(workload: Workload): object {
  const { modelVersion, image } = workload;
  const { model, version } = modelVersion;
  const settings = settingsOf(workload);
  // Answered only while this version is AVAILABLE; the status of a model is 200 while it loads, and when it has failed.
  const available = { path: `/v1/models/${model}/versions/${version}/metadata`, port: 'rest' };
  const args = argumentsOf(settings);
  const resources = resourcesOf(settings.resources);
  return {
    name: 'serving',
    image,
    ...(args.length === 0 ? {} : { args }),
    env: [{ name: 'MODEL_NAME', value: model }],
    ports: [
      { name: 'grpc', containerPort: 8500, protocol: 'TCP' },
      { name: 'rest', containerPort: 8501, protocol: 'TCP' },
    ],
    startupProbe: {
      httpGet: available,
      periodSeconds: 1,
      timeoutSeconds: 5,
      failureThreshold: loadSecondsOf(workload),
    },
    readinessProbe: { httpGet: available, periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 3 },
    lifecycle: { preStop: { exec: { command: ['sleep', String(DRAIN_SECONDS)] } } },
    resources:
      settings.gpu === undefined
        ? resources
        : { ...resources, limits: { ...resources.limits, 'nvidia.com/gpu': String(settings.gpu.count) } },
    securityContext: containerSecurity,
    ...(needsConfig(settings) ? { volumeMounts: [{ name: 'config', mountPath: MOUNT, readOnly: true }] } : {}),
  };
}

/** TensorFlow Serving's own default. */
const STOCK_TIMEOUT_SECONDS = 30;

function argumentsOf({ batching, metrics, timeoutSeconds }: ServingSettings): string[] {
  return [
    ...(batching === undefined ? [] : ['--enable_batching=true', `--batching_parameters_file=${MOUNT}/${BATCHING}`]),
    ...(metrics === undefined ? [] : [`--monitoring_config_file=${MOUNT}/${MONITORING}`]),
    ...(timeoutSeconds === STOCK_TIMEOUT_SECONDS ? [] : [`--rest_api_timeout_in_ms=${timeoutSeconds * 1000}`]),
  ];
}

export const configVolume = (workload: Workload): object[] =>
  needsConfig(settingsOf(workload)) ? [{ name: 'config', configMap: { name: CONFIG } }] : [];

/** The files that TensorFlow Serving's arguments name (text protobuf). */
export function servingConfig(workload: Workload): object {
  const { batching, metrics } = settingsOf(workload);
  const { size, timeoutMicros, queue, threads } = batching ?? {};
  const batches = [
    `max_batch_size { value: ${size} }`,
    `batch_timeout_micros { value: ${timeoutMicros} }`,
    `max_enqueued_batches { value: ${queue} }`,
    `num_batch_threads { value: ${threads} }`,
    '',
  ];
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadataOf(workload, CONFIG),
    data: {
      ...(batching === undefined ? {} : { [BATCHING]: batches.join('\n') }),
      ...(metrics === undefined
        ? {}
        : { [MONITORING]: `prometheus_config { enable: true, path: "${METRICS_PATH}" }\n` }),
    },
  };
}
