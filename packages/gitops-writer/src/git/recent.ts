/** The last `max` answers to questions whose answers never change; questions at the same time share one. Failures are not kept. */
export function recent<T>(max: number): (key: string, find: () => Promise<T | undefined>) => Promise<T | undefined> {
  const kept = new Map<string, Promise<T | undefined>>();
  return (key, find) => {
    const known = kept.get(key);
    if (known !== undefined) {
      // A Map keeps the order of insertion: what was asked last goes last.
      kept.delete(key);
      kept.set(key, known);
      return known;
    }
    const found = find();
    kept.set(key, found);
    // Undefined is no answer yet.
    const forget = () => void (kept.get(key) === found && kept.delete(key));
    found.then((value) => value === undefined && forget(), forget);
    if (kept.size > max) kept.delete(kept.keys().next().value ?? '');
    return found;
  };
}
