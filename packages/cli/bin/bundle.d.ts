/**
 * The file that runs `main` from a bundle of its sources kept in `folder`, or undefined where none can be made. `whole`: with the
 * packages from the registry that it imports.
 */
export function bundle(main: string, folder: string, whole?: boolean): Promise<string | undefined>;
/** Packages that are native and optional. */
export const LEFT_OUT: string[];
/** JavaScript to put before a bundle: what CommonJS code in an ES module looks for. */
export const BANNER: string;
