import type { Champion } from './model.ts';
import type { Outgoing } from './outbox.ts';

/** What came of a champion: the change, when it led to one, and a sentence. */
export type ChampionOutcome = { readonly change?: string; readonly outcome: string };

/** What the last look at a model's registry found; the same for every replica. Times are RFC 3339. */
export type SeenChampion = {
  readonly model: string;
  readonly registry: string;
  /** For which a champion is an approval. */
  readonly environment: string;
  /** Not there: nobody is the champion, or nobody knows yet (see `problem`). */
  readonly champion?: Champion;
  /** Since when it is so, as far as it was looked at. */
  readonly since: string;
  /** Not there: what to make of the champion is still to be decided. */
  readonly settled?: ChampionOutcome;
  /** The champion that was taken back before `champion`, if one follows. */
  readonly withdrawn?: { readonly version: string; readonly at: string };
  /** Why the registry cannot be read now, and since when. */
  readonly problem?: { readonly reason: string; readonly since: string };
  readonly lookedAt: string;
};

/** The newest decision that a champion has led to. */
export type ChampionDecision = { readonly event: string; readonly change: string; readonly at: string };

export type ChampionBook = {
  read(model: string): Promise<SeenChampion | undefined>;
  list(): Promise<SeenChampion[]>;
  /** Keeps what was seen, and puts out what is to be told of it, in one transaction. */
  write(seen: SeenChampion, told: readonly Outgoing[]): Promise<void>;
  /** For a model and environment, among the changes whose event begins with `prefix`. */
  decided(model: string, environment: string, prefix: string): Promise<ChampionDecision | undefined>;
};

/** What only one process at a time does. A killed one lets go by dying. */
export type Exclusive = {
  /** false: somebody else is at it. */
  take(name: string): Promise<boolean>;
  /** As `take`, and true as well where this process has it already. */
  keep(name: string): Promise<boolean>;
  drop(name: string): Promise<void>;
};
