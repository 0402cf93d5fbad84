/**
 * A label and its prediction may arrive in the same moment, in two transactions that do not see each other: the label would
 * be kept as early and never joined. So packs share this lock, and labels take it alone, but only those whose prediction was
 * not found, in small slices, to look once more before they are kept: labels that join stop no pack. Taken first in its
 * transaction, before any row: no circle with the counts of a pack. PostgreSQL queues it fairly, and drops it with the
 * connection. `FWLB` in ASCII.
 */
const LOCK = 0x46_57_4c_42;

export const SHARE_WITH_PACKS = `select pg_advisory_xact_lock_shared(${LOCK})`;
export const ALONE_FOR_LABELS = `select pg_advisory_xact_lock(${LOCK})`;

const LABELS = 0x46_57_4c_41;

/** Of the session: no label is booked until it is given back. */
export const NO_LABELS = `select pg_advisory_lock(${LABELS})`;
export const LABELS_AGAIN = `select pg_advisory_unlock(${LABELS})`;

/** Labels among themselves, from all recorders: of two for one prediction the second must see the first. `FWLA` in ASCII. */
export const ONE_LABEL_REQUEST = `select pg_advisory_xact_lock(${LABELS})`;
