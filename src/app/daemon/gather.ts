/**
 * Makes one call of many: those of one turn of the event loop go together, and those that come while it
 * is answered go with the next. `ask` is given each key once.
 */
export function gather<Key, Value>(
  ask: (keys: readonly Key[]) => Promise<(key: Key) => Value>,
): (key: Key) => Promise<Value> {
  let waiting: Set<Key> | null = null;
  let answer: Promise<(key: Key) => Value> = Promise.resolve(() => {
    throw new Error('nothing was asked');
  });
  const askAll = async (before: Promise<unknown>, keys: ReadonlySet<Key>) => {
    await new Promise((resolve) => setImmediate(resolve));
    await before.catch(() => undefined);
    waiting = null;
    return await ask([...keys]);
  };
  return async (key) => {
    if (waiting === null) {
      waiting = new Set();
      answer = askAll(answer, waiting);
    }
    waiting.add(key);
    return (await answer)(key);
  };
}
