/** The signature that TensorFlow Serving executes when a caller names none. */
export const DEFAULT_SIGNATURE = 'serving_default';
