export { digestTree, type Member, savedModelMembers } from './digest.ts';
export { type Executable, executable, type Tensors } from './execute.ts';
export { attr, graphBuilder } from './graph.ts';
export { readRegistration, type Registration } from './properties.ts';
export type { GraphDef } from './proto.ts';
export { constantOf, DEFAULT_SIGNATURE, readSavedModel, type SavedModel } from './read.ts';
export { checkSignature, loadModelVersion } from './registration.ts';
export { numberTensor, stringTensor, type Tensor } from './tensor.ts';
export { type BoundSignature, type BoundTensor, writeSavedModel } from './write.ts';
