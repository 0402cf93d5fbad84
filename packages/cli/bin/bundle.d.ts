/** The file that runs `main` from a bundle of its sources kept in `folder`, or undefined where none can be made. */
export function bundle(main: string, folder: string): Promise<string | undefined>;
