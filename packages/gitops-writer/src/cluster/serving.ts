import { type AxiosInstance, create } from 'axios';
import { z } from 'zod';
import type { Signature, TensorSpec } from '@fairway/core';
import type { Cluster, Pod } from '../ports.ts';

/** TensorFlow Serving's REST port in the pods we render. */
const REST_PORT = 8501;
const ANSWER_MS = 2_000;

const status = z.object({
  model_version_status: z.array(z.object({ version: z.string(), state: z.string() })),
});

/** protobuf's JSON: 64-bit sizes are strings, and what has its default value may be left out. */
const tensor = z.object({
  dtype: z.enum(['DT_FLOAT', 'DT_DOUBLE', 'DT_INT32', 'DT_INT64', 'DT_STRING', 'DT_BOOL']),
  tensor_shape: z
    .object({
      dim: z.array(z.object({ size: z.union([z.string().regex(/^-?\d+$/), z.number()]).default('0') })).default([]),
      unknown_rank: z.literal(false).default(false),
    })
    .default({ dim: [], unknown_rank: false }),
});
const tensors = z.record(z.string(), tensor).default({});
const definition = z.object({ inputs: tensors, outputs: tensors, method_name: z.string().default('') });
/** Other signatures (such as `__saved_model_init_op`) may have tensors that Fairway does not carry. */
const metadata = z.object({
  model_spec: z.object({ version: z.string() }),
  metadata: z.object({ signature_def: z.object({ signature_def: z.record(z.string(), z.unknown()) }) }),
});

type Serving = Pick<Cluster, 'servingState' | 'servingSignature'>;

/** Asks TensorFlow Serving in a pod, by its REST API. What cannot be told is said in words. */
export function servingReader(): Serving {
  // Inside the cluster: a proxy of the environment would not know the pod network.
  const http = create({ timeout: ANSWER_MS, proxy: false, validateStatus: () => true, maxContentLength: 2 ** 20 });
  return {
    servingState: async (pod, model, version) => {
      const answer = await ask(http, pod, `/v1/models/${model}/versions/${version}`);
      if (typeof answer === 'string') return answer;
      const parsed = status.safeParse(answer.data);
      if (!parsed.success) return `${answer.status}, not a model status`;
      return parsed.data.model_version_status.find((entry) => entry.version === version)?.state ?? 'another version';
    },
    servingSignature: async (pod, model, version, name) => {
      const answer = await ask(http, pod, `/v1/models/${model}/versions/${version}/metadata`);
      if (typeof answer === 'string') return `it answers ${answer}`;
      return readSignature(answer.data, version, name) ?? `it answers ${answer.status}, not the metadata of ${name}`;
    },
  };
}

async function ask(
  http: AxiosInstance,
  { ip }: Pod,
  path: string,
): Promise<{ readonly status: number; readonly data: unknown } | string> {
  if (ip === undefined) return 'nothing, the pod has no address';
  const host = ip.includes(':') ? `[${ip}]` : ip;
  try {
    return await http.get<unknown>(`http://${host}:${REST_PORT}${path}`);
  } catch {
    return 'nothing';
  }
}

function readSignature(data: unknown, version: string, name: string): Signature | undefined {
  const parsed = metadata.safeParse(data);
  if (!parsed.success || parsed.data.model_spec.version !== version) return undefined;
  const found = definition.safeParse(parsed.data.metadata.signature_def.signature_def[name]);
  if (!found.success) return undefined;
  const { inputs, outputs, method_name: method } = found.data;
  return { name, method, inputs: specs(inputs), outputs: specs(outputs) };
}

const specs = (named: z.infer<typeof tensors>): TensorSpec[] =>
  Object.entries(named)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([
        name,
        {
          dtype,
          tensor_shape: { dim },
        },
      ]) => ({ name, dtype, shape: dim.map(({ size }) => Number(size)) }),
    );
