import type { Notice } from '../change.ts';
import type { Champion } from '../ports.ts';
import { registryName } from './champions-decision.ts';

type Where = { readonly model: string; readonly environment: string; readonly registry: string };

/** There is a champion no more: a fact for people, and nothing that Fairway acts on. */
export function withdrawnNotice({ model, environment, registry }: Where, { version, label, actor }: Champion): Notice {
  const name = registryName(registry);
  return {
    event: 'champion-withdrawn',
    title: `${model} has no champion any more`,
    text: `${name[0]?.toUpperCase() ?? ''}${name.slice(1)} names no champion where version ${version} was. What serves in ${environment} stays as it is: take it out with "fairway retire", go back with "fairway rollback", or name a champion.`,
    facts: [
      { title: 'Model', value: model },
      { title: 'Champion before', value: label === undefined ? version : `${version} (${label})` },
      { title: 'Environment', value: environment },
      ...(actor === undefined ? [] : [{ title: 'Named by', value: actor }]),
    ],
    links: [],
    tone: 'warning',
  };
}
