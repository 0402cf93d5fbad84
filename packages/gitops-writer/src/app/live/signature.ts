import { canonicalJson, sha256, type Signature, type TensorSpec } from '@fairway/core';

/** sha256 over what a signature promises to callers; the order of its tensors does not count. */
export const signatureHash = (signature: Signature): string => sha256(canonicalJson(normal(signature)));

const normal = ({ name, method, inputs, outputs }: Signature): object => ({
  name,
  method,
  inputs: inputs.map(shown).sort(),
  outputs: outputs.map(shown).sort(),
});

const shown = ({ name, dtype, shape }: TensorSpec): string => `${name} ${dtype} [${shape.join(', ')}]`;

/** What the served signature has otherwise than the approved one, in words; undefined when their hashes are equal. */
export function signatureDifference(approved: Signature, served: Signature): string | undefined {
  if (signatureHash(approved) === signatureHash(served)) return undefined;
  const tensors = ({ inputs, outputs }: Signature): string[] => [
    ...inputs.map((input) => `input ${shown(input)}`),
    ...outputs.map((output) => `output ${shown(output)}`),
  ];
  const wanted = tensors(approved);
  const found = tensors(served);
  const missing = wanted.filter((tensor) => !found.includes(tensor)).map((tensor) => `${tensor} is missing`);
  const extra = found.filter((tensor) => !wanted.includes(tensor)).map((tensor) => `${tensor} is not approved`);
  const method = approved.method === served.method ? [] : [`method ${served.method} instead of ${approved.method}`];
  return [...missing, ...extra, ...method].slice(0, 4).join(', ');
}
