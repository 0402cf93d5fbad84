/** A version of a registered model, in MLflow's words. */
export type VersionName = { readonly name: string; readonly version: string };

const FORM = /^mlflow:([^/]+)\/([1-9]\d{0,17})$/;

/** `mlflow:<name>/<version>`, the name percent-encoded: it may hold any character. */
export const answerToOf = ({ name, version }: VersionName): string => `mlflow:${encodeURIComponent(name)}/${version}`;

/** What {@link answerToOf} has written; undefined for anything else. */
export function parseAnswerTo(answerTo: string): VersionName | undefined {
  const [, name = '', version = ''] = FORM.exec(answerTo) ?? [];
  try {
    const decoded = decodeURIComponent(name);
    return name === '' || answerToOf({ name: decoded, version }) !== answerTo ? undefined : { name: decoded, version };
  } catch {
    return undefined;
  }
}
