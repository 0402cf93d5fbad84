import { create } from 'axios';
import { z } from 'zod';
import type { Cluster } from '../ports.ts';

/** TensorFlow Serving's REST port in the pods we render. */
const REST_PORT = 8501;
const ANSWER_MS = 2_000;

const schema = z.object({
  model_version_status: z.array(z.object({ version: z.string(), state: z.string() })),
});

/** Asks TensorFlow Serving in a pod for the state of a version (AVAILABLE, LOADING, …); in words where there is none. */
export function servingReader(): Cluster['servingState'] {
  // Inside the cluster: a proxy of the environment would not know the pod network.
  const http = create({ timeout: ANSWER_MS, proxy: false, validateStatus: () => true, maxContentLength: 2 ** 20 });
  return async ({ ip }, model, version) => {
    if (ip === undefined) return 'nothing, the pod has no address';
    const host = ip.includes(':') ? `[${ip}]` : ip;
    try {
      const { status, data } = await http.get<unknown>(
        `http://${host}:${REST_PORT}/v1/models/${model}/versions/${version}`,
      );
      const parsed = schema.safeParse(data);
      if (!parsed.success) return `${status}, not a model status`;
      return parsed.data.model_version_status.find((entry) => entry.version === version)?.state ?? 'another version';
    } catch {
      return 'nothing';
    }
  };
}
