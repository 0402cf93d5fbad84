/** Where the branches of the remote are: as of the last look, and of our own pushes since. */
export type Branches = {
  tip(name: string): string | undefined;
  all(): ReadonlyMap<string, string>;
  /** A push of ours moved the branch; undefined: it is gone. */
  moved(name: string, commit: string | undefined): void;
  /** A look begins: it may be answered before a push of ours that ends first. */
  lookBegins(): void;
  lookEnds(seen: ReadonlyMap<string, string>): void;
};

export function branchTable(): Branches {
  let known = new Map<string, string>();
  let ownMoves = new Map<string, string | undefined>();
  const put = (name: string, commit: string | undefined) => {
    if (commit === undefined) known.delete(name);
    else known.set(name, commit);
  };
  return {
    tip: (name) => known.get(name),
    all: () => new Map(known),
    moved: (name, commit) => {
      ownMoves.set(name, commit);
      put(name, commit);
    },
    lookBegins: () => {
      ownMoves = new Map();
    },
    lookEnds: (seen) => {
      known = new Map(seen);
      for (const [name, commit] of ownMoves) put(name, commit);
    },
  };
}
