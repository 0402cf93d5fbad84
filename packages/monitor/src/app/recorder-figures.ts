/** What of the recorder's own work is behind, in rows. */
export type RecorderFigures = {
  /** Appended counts that are not added up yet. */
  readonly unfolded: number;
  /** Rows of yesterday, today and tomorrow that lie in the default partition, by table. */
  readonly unpartitioned: Readonly<Record<string, number>>;
};
