/**
 * Which records of a group were seen, and when last, counted in requests. Grows with the group of
 * one timestamp that is being read, with nothing else.
 */
export interface Sightings {
  readonly lastSeen: Map<string, number>;
  /** How many records were last seen at each request. */
  readonly perRequest: number[];
}

export function noSightings(): Sightings {
  return { lastSeen: new Map(), perRequest: [] };
}

export function see(sightings: Sightings, ids: readonly string[], request: number): void {
  const { lastSeen, perRequest } = sightings;
  while (perRequest.length <= request) perRequest.push(0);
  for (const id of ids) {
    const before = lastSeen.get(id);
    if (before === request) continue;
    if (before !== undefined) perRequest[before] = (perRequest[before] ?? 0) - 1;
    perRequest[request] = (perRequest[request] ?? 0) + 1;
    lastSeen.set(id, request);
  }
}

/** Distinct records seen at this request or a later one. */
export function seenSince(sightings: Sightings, request: number): number {
  let count = 0;
  for (let at = request; at < sightings.perRequest.length; at += 1) {
    count += sightings.perRequest[at] ?? 0;
  }
  return count;
}
