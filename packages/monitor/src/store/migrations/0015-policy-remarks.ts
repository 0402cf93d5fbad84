/** What is wrong with a policy by which windows are judged all the same, such as a channel that this monitor lacks. */
export const policyRemarks = `
alter table monitoring.policies add column remark text;
`;
