/** Every data type of TensorFlow 2.21 by its number (tensorflow/core/framework/types.proto), and its width in bytes in a checkpoint. */
const DTYPES: Readonly<Record<number, readonly [name: string, width?: number]>> = {
  0: ['DT_INVALID'],
  1: ['DT_FLOAT', 4],
  2: ['DT_DOUBLE', 8],
  3: ['DT_INT32', 4],
  4: ['DT_UINT8', 1],
  5: ['DT_INT16', 2],
  6: ['DT_INT8', 1],
  7: ['DT_STRING'],
  8: ['DT_COMPLEX64', 8],
  9: ['DT_INT64', 8],
  10: ['DT_BOOL', 1],
  11: ['DT_QINT8', 1],
  12: ['DT_QUINT8', 1],
  13: ['DT_QINT32', 4],
  14: ['DT_BFLOAT16', 2],
  15: ['DT_QINT16', 2],
  16: ['DT_QUINT16', 2],
  17: ['DT_UINT16', 2],
  18: ['DT_COMPLEX128', 16],
  19: ['DT_HALF', 2],
  20: ['DT_RESOURCE'],
  21: ['DT_VARIANT'],
  22: ['DT_UINT32', 4],
  23: ['DT_UINT64', 8],
  24: ['DT_FLOAT8_E5M2', 1],
  25: ['DT_FLOAT8_E4M3FN', 1],
  26: ['DT_FLOAT8_E4M3FNUZ', 1],
  27: ['DT_FLOAT8_E4M3B11FNUZ', 1],
  28: ['DT_FLOAT8_E5M2FNUZ', 1],
  // Smaller than a byte: how many bytes they take is not told here.
  29: ['DT_INT4'],
  30: ['DT_UINT4'],
  31: ['DT_INT2'],
  32: ['DT_UINT2'],
  33: ['DT_FLOAT4_E2M1FN'],
};

/** TensorFlow's name of a data type; a reference type (number + 100, TensorFlow 1) ends in `_REF`. */
export function dtypeName(code: number): string {
  const name = DTYPES[code]?.[0];
  if (name !== undefined) return name;
  const referred = DTYPES[code - 100]?.[0];
  return referred === undefined ? `data type ${code}` : `${referred}_REF`;
}

/** Bytes of one value; undefined for texts, handles and what is smaller than a byte. */
export const dtypeWidth = (code: number): number | undefined => DTYPES[code]?.[1];
