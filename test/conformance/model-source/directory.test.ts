import { directoryTarget } from './directory.ts';
import { modelSourceSuite } from './suite.ts';

modelSourceSuite(directoryTarget);
