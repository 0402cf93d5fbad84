import type { Change, FairwayError } from '@fairway/core';
import type { ChangeEvidence, Notice } from '../change.ts';

type Told = { readonly change: Change; readonly evidence: ChangeEvidence };

/** A card asks for the merge. */
export function proposedNotice(told: Told, auto: boolean): Notice {
  const { model, version, environment } = told.change;
  const text = auto ? 'It merges by itself.' : 'The merge of the pull request deploys it.';
  return notice(told, 'approval', `${model} ${version} is proposed for ${environment}`, text, 'accent');
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
  return kind === 'retrain' ? `Retraining of ${model}` : `${model} ${version} for ${environment}`;
}

function notice(told: Told, event: string, title: string, text: string, tone: Notice['tone']): Notice {
  const { model, version, environment, digest, actor, pullRequest } = told.change;
  const facts = [
    { title: 'Model', value: model },
    { title: told.evidence.kind === 'retrain' ? 'Champion' : 'Version', value: version },
    { title: 'Environment', value: environment },
    ...(digest === undefined ? [] : [{ title: 'Digest', value: digest }]),
    { title: told.evidence.kind === 'retrain' ? 'Requested by' : 'Approved by', value: actor },
  ];
  const links =
    pullRequest === undefined ? [] : [{ title: `Pull request #${pullRequest.number}`, url: pullRequest.url }];
  return { event, title, text, facts, links, tone };
}
