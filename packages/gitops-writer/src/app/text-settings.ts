import type { StepContext } from './step.ts';

/** What the text of a pull request takes from its surroundings. */
export const textSettings = ({ bodyLimit, dashboardUrl }: StepContext) => ({
  bodyLimit,
  ...(dashboardUrl === undefined ? {} : { dashboardUrl }),
});
