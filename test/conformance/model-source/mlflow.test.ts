import { mlflowTarget } from './mlflow.ts';
import { modelSourceSuite } from './suite.ts';

modelSourceSuite(mlflowTarget('3.4', 'proxy', 'files'));
modelSourceSuite(mlflowTarget('2.9', 's3', 'tags'));
modelSourceSuite(mlflowTarget('3.4', 'gs', 'tags'));
modelSourceSuite(mlflowTarget('2.9', 'file', 'files'));
