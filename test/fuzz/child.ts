/** One campaign in a process of its own, so that a crash, a hang and memory are seen from outside and belong to it alone. */
import { CAMPAIGNS } from './campaigns.ts';

const [name = '', order = '{}'] = process.argv.slice(2);
const TELL_MS = 5_000;
let told = performance.now();
const results = await CAMPAIGNS[name]?.({
  ...JSON.parse(order),
  progress: (cases: number) => {
    if (performance.now() - told < TELL_MS) return;
    told = performance.now();
    process.send?.({ cases });
  },
});
process.send?.({ results: results ?? [] }, () => process.disconnect());
