// npm run manifests:check [-- FOLDER…]: without a folder everything that is shipped; with folders your own overlays, in which
// nothing may be left to fill in.
import { combinations, examples, rendering, shippedOverlays } from './render.ts';
import { policyProblems } from './policy.ts';
import { schemaProblems } from './schema.ts';

const own = process.argv.slice(2);
const renderings =
  own.length > 0 ? own.map(rendering) : [...shippedOverlays().map(rendering), ...combinations(), ...examples()];
const objects = renderings.flatMap((one) => one.objects);
// A component alone has the names of images; which ones is an overlay's to say.
const judged = renderings.filter(({ where }) => !where.startsWith('base + '));
const problems = new Set([
  ...schemaProblems(objects),
  ...judged.flatMap((one) =>
    policyProblems(one.objects, { production: own.length > 0 }).map((problem) => `${one.where}: ${problem}`),
  ),
]);
for (const problem of problems) console.log(`✘ ${problem}`);
console.log(`${renderings.length} renderings, ${objects.length} objects, ${problems.size} problems`);
process.exitCode = problems.size === 0 ? 0 : 1;
