import { MODEL } from '../../integration/writer/world.ts';
import type { Ending } from './account.ts';
import type { Team } from './team.ts';

/** A kind of change on its way, told again and again in one world; each round takes numbers of its own. */
export type Story = {
  readonly name: string;
  /** Settings of the writer besides those of the world. */
  readonly env?: Readonly<Record<string, string>>;
  /** Once, before the first round. */
  prepare?(team: Team): Promise<void>;
  /** Makes what the round begins with, while nothing is struck; answers how the round is told, while the writer may die at any moment. */
  round(team: Team, number: number): Promise<() => Promise<Ending>>;
};

export const MODEL_YAML = `models/${MODEL}/model.yaml`;
export const QUARANTINE = `models/${MODEL}/quarantine.yaml`;
export const folderOf = (environment: string): string => `models/${MODEL}/environments/${environment}`;

/** The version that the default branch has in an environment, and the change that has put it there, are these. */
export async function wrongVersion(
  { origin }: Team,
  environment: string,
  version: string,
  change: string,
): Promise<string[]> {
  const text = (await origin.read(`${folderOf(environment)}/version.yaml`)) ?? 'nothing';
  const holds = text.includes(`\nversion: "${version}"`) && text.includes(`\nchange: ${change}\n`);
  return holds ? [] : [`${environment} should have version ${version} of change ${change}, and has ${text}`];
}
