/** What each verdict was made from, so that it can be made again: parts by the sha256 of their text, each kept once. */
export const evidence = `
create table monitoring.evidence_parts (
  hash text primary key,
  body text not null
);
create table monitoring.verdict_evidence (
  verdict text primary key references monitoring.verdicts,
  counts text not null references monitoring.evidence_parts,
  earlier text[] not null,
  baseline text references monitoring.evidence_parts,
  policy text not null references monitoring.evidence_parts,
  blob text not null
);
`;
