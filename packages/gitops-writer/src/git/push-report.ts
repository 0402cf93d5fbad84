/** What `git push --porcelain` says of one ref. */
export type RefReport = { readonly ref: string; readonly ok: boolean; readonly summary: string };

/** `<flag>\t<from>:<to>\t<summary>` lines; other lines (`To …`, `Done`) say nothing about a ref. */
export function parsePushReport(stdout: string): ReadonlyMap<string, RefReport> {
  const reports = new Map<string, RefReport>();
  for (const line of stdout.split('\n')) {
    const [flag, refs, summary] = line.split('\t');
    if (flag === undefined || flag.length !== 1 || refs === undefined || summary === undefined) continue;
    const ref = refs.slice(refs.indexOf(':') + 1);
    reports.set(ref, { ref, ok: flag !== '!', summary });
  }
  return reports;
}

/** Refs that git found gone before it sent anything: then it sends nothing of the whole push. */
export const goneRefs = (stderr: string): ReadonlySet<string> =>
  new Set([...stderr.matchAll(/unable to delete '([^']+)': remote ref does not exist/g)].map(([, ref]) => ref ?? ''));

/** What the forge itself said, without progress; lines that name the ref before all others. */
export function forgeWords(stderr: string, ref: string): string {
  const said = stderr
    .split(/[\r\n]/)
    .filter((line) => line.startsWith('remote:'))
    .map((line) => line.slice('remote:'.length).trim())
    .filter((line) => line !== '' && !/^(Resolving deltas|Counting|Compressing|Processing|Total)\b/.test(line));
  const branch = ref.replace('refs/heads/', '');
  const names = (line: string) => line.split(/[\s'"`,;:()]+/).map((word) => word.replace(/\.$/, ''));
  const own = said.filter((line) => names(line).some((word) => word === ref || word === branch));
  return (own.length > 0 ? own : said).join(' ').slice(0, 400);
}
