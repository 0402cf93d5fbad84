import type { Change, ChangeKind, FairwayError } from '@fairway/core';
import type { ChangeEvidence, Notice } from '../change.ts';

type Told = { readonly change: Change; readonly evidence: ChangeEvidence };

/** A card asks for the merge. */
export function proposedNotice(told: Told, auto: boolean): Notice {
  const { model, version, environment } = told.change;
  const text = auto ? 'It merges by itself.' : `The merge of the pull request ${MERGING[told.change.kind]}.`;
  const { kind } = told.change;
  const title =
    kind === 'deploy' ? `${model} ${version} is proposed for ${environment}` : `${subject(told.change)} is proposed`;
  return notice(told, 'approval', title, text, kind === 'deploy' ? 'accent' : 'warning');
}

const MERGING: Record<ChangeKind, string> = {
  deploy: 'deploys it',
  retrain: 'starts it',
  rollback: 'restores what was live before',
  retire: 'deletes what serves there',
};

export function rolledBackNotice(told: Told): Notice {
  const { model, version, environment } = told.change;
  const left = told.evidence.kind === 'rollback' ? `Version ${told.evidence.bad.version} is quarantined.` : '';
  return notice(told, 'rolled-back', `${model} in ${environment} is back at version ${version}`, left, 'good');
}

export function retiredNotice(told: Told): Notice {
  const text = 'Application and Deployment are gone.';
  return notice(told, 'retired', `${told.change.model} was retired from ${told.change.environment}`, text, 'default');
}

export function heldBackNotice(told: Told, reason: string): Notice {
  return notice(told, 'rejected', `${subject(told.change)} is held back`, reason, 'warning');
}

/** What was decided in a registry cannot be followed: no pull request says why, so this does. */
export function unusableNotice(told: Told, reason: string): Notice {
  return notice(told, 'rejected', `${subject(told.change)} was rejected`, reason, 'warning');
}

export function liveNotice(told: Told): Notice {
  const { model, version, environment } = told.change;
  const text = "Every ready pod's TensorFlow Serving says AVAILABLE.";
  return notice(told, 'live', `${model} ${version} is live in ${environment}`, text, 'good');
}

export function rejectedNotice(told: Told): Notice {
  return notice(
    told,
    'rejected',
    `${subject(told.change)} was rejected`,
    'The pull request was closed without a merge.',
    'warning',
  );
}

export function supersededNotice(told: Told): Notice {
  const reason = told.change.reason ?? 'A newer version has taken its place.';
  return notice(told, 'superseded', `${subject(told.change)} was superseded`, reason, 'default');
}

export function failedNotice(told: Told, { message }: FairwayError): Notice {
  return notice(told, 'failed', `${subject(told.change)} failed`, message, 'attention');
}

export function retrainMergedNotice(told: Told): Notice {
  return notice(
    told,
    'retrain-merged',
    `Retraining of ${told.change.model} begins`,
    'The training Job runs once.',
    'accent',
  );
}

export function retrainFinishedNotice(told: Told): Notice {
  const title = `Retraining of ${told.change.model} has finished`;
  return notice(
    told,
    'retrain-finished',
    title,
    'The candidate beat the champion and is registered; it waits for an approval.',
    'good',
  );
}

function subject({ kind, model, version, environment }: Change): string {
  switch (kind) {
    case 'retrain':
      return `Retraining of ${model}`;
    case 'rollback':
      return `Rollback of ${model} in ${environment} to version ${version}`;
    case 'retire':
      return `Retirement of ${model} from ${environment}`;
    default:
      return `${model} ${version} for ${environment}`;
  }
}

function notice(told: Told, event: string, title: string, text: string, tone: Notice['tone']): Notice {
  const { model, version, environment, digest, actor, pullRequest } = told.change;
  const facts = [
    { title: 'Model', value: model },
    { title: told.evidence.kind === 'retrain' ? 'Champion' : 'Version', value: version },
    { title: 'Environment', value: environment },
    ...(digest === undefined ? [] : [{ title: 'Digest', value: digest }]),
    { title: told.evidence.kind === 'deploy' ? 'Approved by' : 'Requested by', value: actor },
  ];
  const links =
    pullRequest === undefined ? [] : [{ title: `Pull request #${pullRequest.number}`, url: pullRequest.url }];
  return { event, title, text, facts, links, tone };
}
