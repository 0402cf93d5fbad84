import { areaOf } from './auc.ts';
import { classesOf } from './class-counts.ts';
import { classMetric } from './class-metric.ts';
import { scoresOfClass } from './class-scores.ts';

/** One class against all others, by its probability. null where all labels are of it, or none is. */
export const classAuc = classMetric(
  { name: 'classAuc', title: 'AUC against the other classes', better: 'higher', guards: ['z'] },
  (counts, baseline, name) => {
    const at = classesOf(baseline).indexOf(name);
    return at < 0 ? null : areaOf(scoresOfClass(counts, at), false);
  },
  'each-class',
);

/**
 * Mean of these over the classes that occur among the labels (Provost and Domingos 2000, unweighted). The AUCs share their rows:
 * the standard error of their mean is at most the mean of theirs, which is what is taken.
 */
export const macroAuc = classMetric(
  { name: 'macroAuc', title: 'mean AUC of the classes', better: 'higher', guards: ['z'] },
  (counts, baseline) => {
    const each = classesOf(baseline).flatMap((_, at) => areaOf(scoresOfClass(counts, at), false) ?? []);
    const [first] = each;
    if (first === undefined) return null;
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / each.length;
    const errors = each.flatMap(({ standardError }) => standardError ?? []);
    return {
      value: mean(each.map(({ value }) => value)),
      sample: first.sample,
      bound: mean(each.map(({ bound = 0 }) => bound)),
      ...(errors.length < each.length ? {} : { standardError: mean(errors) }),
    };
  },
);
