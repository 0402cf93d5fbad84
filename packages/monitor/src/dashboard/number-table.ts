import type { Verdict } from '@fairway/core';
import { type Html, html } from './html.ts';
import { figure } from './words.ts';

const HEADS = ['Mean absolute error', 'RMSE', 'R²', 'PSI of the prediction', 'Shift of its deciles'];

/** Windows of a model that predicts a number: its errors, and how far its predictions have moved. */
export function numberTable(verdicts: readonly Verdict[]): Html | false {
  const windows = verdicts.filter(({ metrics }) => metrics.regression !== undefined);
  if (windows.length === 0) return false;
  const row = ({ window, metrics: { regression: of } }: Verdict): Html => {
    const all = [of?.mae, of?.rmse, of?.rSquared, of?.predictionPsi, of?.predictionDrift];
    return html`<tr><th scope="row" class="nowrap">${window.period}</th>${all.map((value) => html`<td class="number">${figure(value)}</td>`)}</tr>`;
  };
  return html`<h2 id="errors">Errors</h2><div class="panel" role="region" tabindex="0" aria-labelledby="errors"><table aria-labelledby="errors"><thead><tr><th scope="col">Period</th>${HEADS.map((head) => html`<th scope="col" class="number">${head}</th>`)}</tr></thead>
<tbody>${windows.map(row)}</tbody></table></div>`;
}
