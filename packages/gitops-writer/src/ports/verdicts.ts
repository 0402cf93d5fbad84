/** What monitoring says of a version that is live. */
export type Verdicts = {
  /** Why a version must not go further now, in a sentence; undefined when nothing speaks against it. Throws when nobody can tell. */
  inAlert(model: string, version: string, environment: string): Promise<string | undefined>;
};
