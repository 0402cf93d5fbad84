import { CORE_OPS, CORE_OPS_OF } from './core-ops.ts';

/**
 * Whether TensorFlow Serving's own image can execute an op:
 * `tensorflow`: TensorFlow's; `serving`: linked into TensorFlow Serving beside it; `python`: only a Python process has it;
 * `custom`: neither has it; `newer`: not in TensorFlow {@link CORE_OPS_OF}, but the model was made by a newer one.
 */
export type OpVerdict = 'tensorflow' | 'serving' | 'python' | 'custom' | 'newer';

/** Registered in every TensorFlow, executed by Python alone (tensorflow/core/ops/script_ops.cc). */
const PYTHON = new Set(['PyFunc', 'PyFuncStateless', 'EagerPyFunc']);

/**
 * What TensorFlow Serving's model server links besides TensorFlow: the ops of TensorFlow Text (those of its first years have no
 * namespace) and the inference ops of TensorFlow Decision Forests (SUPPORTED_TENSORFLOW_OPS of its model_servers/BUILD).
 */
const SERVING = new Set(
  `CaseFoldUTF8 ConstrainedSequence FindSourceOffsets MaxSpanningTree NormalizeUTF8 NormalizeUTF8WithOffsetsMap
RegexSplitWithOffsets RougeL SentenceFragments SentenceFragmentsV2 SentencepieceDetokenizeOp SentencepieceIdToStringOp
SentencepieceOp SentencepieceStringToIdOp SentencepieceTokenizeOp SentencepieceTokenizeWithOffsetsOp
SentencepieceVocabSizeOp SplitMergeTokenizeWithOffsets TokenizerFromLogits UnicodeScriptTokenizeWithOffsets
WhitespaceTokenizeWithOffsets WordpieceTokenizeWithOffsets
SimpleMLCreateModelResource SimpleMLInferenceLeafIndexOpWithHandle SimpleMLInferenceOp SimpleMLInferenceOpWithHandle
SimpleMLLoadModelFromPath SimpleMLLoadModelFromPathWithHandle`.split(/\s+/),
);

/** Some 1,300 names; made when a graph is first judged, and kept: to make it takes longer than to read a small model. */
let coreOps: ReadonlySet<string> | undefined;

/** Judges the ops of a graph that TensorFlow `version` has written; ops of the graph's own functions are not asked about. */
export function judgeOps(version: string | undefined): (op: string) => OpVerdict {
  coreOps ??= new Set(CORE_OPS.trim().split(/\s+/));
  const core = coreOps;
  const newer = version !== undefined && isNewer(version, CORE_OPS_OF);
  return (op) => {
    if (PYTHON.has(op)) return 'python';
    // A leading underscore: made by TensorFlow's own graph rewrites.
    if (core.has(op) || op.startsWith('_')) return 'tensorflow';
    if (SERVING.has(op) || op.startsWith('TFText>')) return 'serving';
    return newer && !op.includes('>') ? 'newer' : 'custom';
  };
}

function isNewer(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [thanMajor = 0, thanMinor = 0] = than.split('.').map(Number);
  return major > thanMajor || (major === thanMajor && minor > thanMinor);
}
