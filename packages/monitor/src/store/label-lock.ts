/**
 * A label and its prediction may arrive in the same moment, in two transactions that do not see each other: the label would
 * be kept as early and never joined. So packs share this lock, and a label request takes it alone (for about 0.5 s per
 * 10,000 labels). PostgreSQL queues it fairly, and drops it with the connection. `FWLB` in ASCII.
 */
const LOCK = 0x46_57_4c_42;

export const SHARE_WITH_PACKS = `select pg_advisory_xact_lock_shared(${LOCK})`;
export const ALONE_FOR_LABELS = `select pg_advisory_xact_lock(${LOCK})`;
