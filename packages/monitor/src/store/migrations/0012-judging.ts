/** How a verdict came out of its evidence (app/judging.ts); null where it was judged before this was kept, or by the version before. */
export const judging = `
alter table monitoring.verdict_evidence add column judging smallint;
`;
