/** Why the bytes of a connection are not, or no longer, understood. They pass on untouched. */
export type UnframedReason =
  | 'tls'
  | 'not_http2'
  | 'malformed'
  | 'frame_too_large'
  | 'headers_too_large'
  | 'headers_malformed'
  | 'server_push'
  | 'too_many_streams'
  | 'capture_error'
  | 'capture_off';
