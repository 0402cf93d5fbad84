/** The HTTP status that TensorFlow Serving's REST gives for a gRPC status code (capture reference §2.4); others: 500. */
const HTTP: Readonly<Record<number, number>> = {
  0: 200,
  1: 499,
  3: 400,
  4: 504,
  5: 404,
  6: 409,
  7: 403,
  8: 429,
  9: 400,
  10: 409,
  11: 400,
  12: 501,
  14: 503,
  16: 401,
};
const UNKNOWN = 2;

export const httpStatusOf = (grpcStatus: number): number => HTTP[grpcStatus] ?? 500;

/** A code that is no number is UNKNOWN to every gRPC client. */
export const readGrpcStatus = (text: string): number => (/^\d{1,3}$/.test(text) ? Number(text) : UNKNOWN);
