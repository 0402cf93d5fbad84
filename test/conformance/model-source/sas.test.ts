import { sasTarget } from './sas.ts';
import { modelSourceSuite } from './suite.ts';

for (const dialect of ['3.5', '2023.10'] as const) modelSourceSuite(sasTarget(dialect));
