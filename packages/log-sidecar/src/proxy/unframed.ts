/** Why the bytes of a connection are not, or no longer, understood. They pass on untouched. */
export type UnframedReason =
  | 'tls'
  | 'http2'
  | 'connect'
  | 'upgrade'
  | 'malformed'
  | 'head_too_large'
  | 'pipeline_too_deep'
  | 'unpaired'
  | 'capture_error'
  | 'capture_off';
