/** Where things are in the GitOps repository, and the names that follow from it by convention (docs/contracts.md). */
export const modelFolder = (model: string): string => `models/${model}`;
export const modelPath = (model: string): string => `models/${model}/model.yaml`;
export const policyPath = (model: string): string => `models/${model}/policy.yaml`;
export const quarantinePath = (model: string): string => `models/${model}/quarantine.yaml`;
export const environmentFolder = (model: string, environment: string): string =>
  `models/${model}/environments/${environment}`;
export const retrainFolder = (model: string, change: string): string => `models/${model}/retrain/${change}`;

/** Argo CD Application of an environment, and its namespace; the ApplicationSet makes both from the folder's name. */
export const environmentName = (model: string, environment: string): string => `${model}-${environment}`;
export const retrainApplication = (model: string, change: string): string => `${model}-retrain-${change}`;
export const retrainNamespace = (model: string): string => `${model}-retrain`;
export const smokeJobName = (change: string): string => `smoke-${change}`;
export const retrainJob = (change: string): string => `retrain-${change}`;

/** Below the folder of a retraining. */
export const chartFile = (name: string): string => `charts/${name}.svg`;
