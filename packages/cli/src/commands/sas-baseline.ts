import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream';
import { text } from 'node:stream/consumers';
import { checkName, checkVersion, FairwayError, redact, urlOrigin } from '@fairway/core';
import type { SasBaseline } from '@fairway/monitor';
import { printable } from './printable.ts';

export type BaselineOptions = {
  readonly model: string;
  readonly version: string;
  readonly environment: string;
  readonly prefix?: string;
  readonly delimiter?: string;
};

/** Sends the training data as it lies there, as fast as the monitor takes it, and answers what became of it. */
export async function sendBaseline(
  file: string,
  monitor: { readonly url: string; readonly token: string },
  { model, version, environment, prefix, delimiter }: BaselineOptions,
): Promise<SasBaseline> {
  const size = await sizeOf(file);
  const path = `/v1/models/${checkName('Model', model)}/versions/${checkVersion(version)}/sas-baseline`;
  const query = new URLSearchParams({ environment: checkName('Environment', environment) });
  if (prefix !== undefined) query.set('prefix', prefix);
  if (delimiter !== undefined) query.set('delimiter', delimiter);
  const headers = {
    authorization: `Bearer ${monitor.token}`,
    'content-type': 'text/csv',
    'content-length': String(size),
  };
  const answer = await upload(file, new URL(`${monitor.url}${path}?${query.toString()}`), headers);
  const body = parsed(await text(answer));
  if (answer.statusCode === 200) return body as SasBaseline;
  const { detail } = body as { detail?: string };
  throw new FairwayError('input.invalid', detail ?? `The monitor answered ${answer.statusCode}.`);
}

/** Not by fetch: that ends after 5 minutes without an answer, and the answer comes when the last row is in. */
function upload(file: string, url: URL, headers: Record<string, string>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      method: 'POST',
      headers,
      agent: false,
    });
    request.once('response', (answer) => {
      // An answer before the end says what is wrong with the data; the rest need not be sent.
      answer.once('end', () => request.destroy());
      resolve(answer);
    });
    pipeline(createReadStream(file), request, (error) => {
      if (error === undefined || error === null) return;
      const reason = redact(error.code ?? error.message);
      const where = `the monitor at ${urlOrigin(url.href)}`;
      reject(
        new FairwayError(
          'stack.failed',
          `${file} could not be sent to ${where} (${reason}): nothing was kept, send it again.`,
        ),
      );
    });
  });
}

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new FairwayError('input.invalid', `There is no file ${file}; check the path.`);
  });
  if (found.isFile()) return found.size;
  throw new FairwayError('input.invalid', `${file} is no file: give the training data as a CSV with a header.`);
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return {};
  }
}

/** What was made, and what of it became NULL. */
export function baselineText({ name, rows, labelled, unreadable, new: isNew }: SasBaseline): string {
  const what = `${name}: ${rows.toLocaleString('en-US')} rows, ${labelled.toLocaleString('en-US')} with a target`;
  const state = isNew ? 'made from' : 'there already, of';
  const lines = Object.entries(unreadable).map(
    ([column, count]) => `  ${column}: ${count.toLocaleString('en-US')} cells are no number, and missing to SAS`,
  );
  return [`${what}; ${state} this data.`, ...lines].map(printable).join('\n');
}
