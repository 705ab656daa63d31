import type { Activity, ActivityChange } from './activity.ts';
import { stringifyJson } from './json.ts';

/**
 * Events of one page, of which those that agree in id, time and type are one: an exact repeat adds
 * nothing, and what another tells beside comes behind the differences of the first.
 */
export function joinRepeats(activities: readonly Activity[]): readonly Activity[] {
  const joined = new Map<string, Activity>();
  for (const activity of activities) {
    const name = JSON.stringify([activity.id, activity.at, activity.type]);
    const first = joined.get(name);
    joined.set(name, first === undefined ? activity : withMore(first, activity.changes));
  }
  return [...joined.values()];
}

function withMore(activity: Activity, more: readonly ActivityChange[]): Activity {
  const told = new Set(activity.changes.map(asText));
  const changes = more.filter((change) => !told.has(asText(change)));
  return { ...activity, changes: [...activity.changes, ...changes] };
}

/** What is not told is told apart from null. */
function asText({ field, path, value, was, op }: ActivityChange): string {
  const parts = [value, was].map((part) => (part === undefined ? '' : stringifyJson(part)));
  return JSON.stringify([field, path, op, ...parts]);
}
