import type { StreamEvent } from './engine.ts';

/** What Debezium writes for a large value that an update left as it was. */
const UNCHANGED = '__debezium_unavailable_value';

type Row = Readonly<Record<string, unknown>>;

/** Tables as a consumer of the stream would have them: by topic and key, the last row of each. */
export type EndState = ReadonlyMap<string, ReadonlyMap<string, Row>>;

/** Keeps the last row of each key, as a compacted topic or an upsert by key does. */
export function endState(events: readonly StreamEvent[]): EndState {
  const tables = new Map<string, Map<string, Row>>();
  for (const { topic, key, value } of events) {
    const rows = tables.get(topic) ?? new Map<string, Row>();
    tables.set(topic, rows);
    const name = JSON.stringify(key);
    const after = value?.after;
    if (after) rows.set(name, filled(after, rows.get(name)));
    else rows.delete(name);
  }
  return tables;
}

function filled(after: Row, before: Row = {}): Row {
  const columns = Object.entries(after).map(([column, value]) => [
    column,
    value === UNCHANGED ? before[column] : value,
  ]);
  return Object.fromEntries(columns);
}
