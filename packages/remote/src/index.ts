export { postJson } from './post-json.ts';
export {
  type Remote,
  type RemoteAnswer,
  type RemoteBytes,
  type RemoteCall,
  type RemoteOptions,
  remote,
} from './remote.ts';
