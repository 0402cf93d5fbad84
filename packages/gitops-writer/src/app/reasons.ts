import type { FairwayError } from '@fairway/core';

/** A sentence that somebody can still read; what a broken archive has to say may be megabytes. */
const MOST = 8_000;

/** What is wrong, with every reason: those of `detail.problems` that the sentence leaves out are put behind it. */
export function everyReason({ message, detail }: FairwayError): string {
  const problems = Array.isArray(detail['problems']) ? detail['problems'].map(String) : [];
  const missing = problems.filter((problem) => !message.includes(trimmed(problem)));
  const all = missing.length === 0 ? message : `${message} All of it: ${missing.map(trimmed).join('; ')}.`;
  return all.length <= MOST ? all : `${all.slice(0, MOST)}… (${problems.length} reasons, cut here)`;
}

const trimmed = (sentence: string): string => sentence.trim().replace(/\.$/, '');
