import type { OffsetAt } from '../../src/app/daemon/local-time.ts';

const QUARTER_MS = 900_000;

/** The clocks of any zone, whatever zone this process is in. No zone changes within a quarter. */
export function zoneOffset(zone: string): OffsetAt {
  const offsetAt = offsets.get(zone) ?? readZone(zone);
  offsets.set(zone, offsetAt);
  return offsetAt;
}

const offsets = new Map<string, OffsetAt>();

function readZone(zone: string): OffsetAt {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  const known = new Map<number, number>();
  return (atMs) => {
    const quarter = Math.floor(atMs / QUARTER_MS);
    const found = known.get(quarter) ?? readOffset(format.format(quarter * QUARTER_MS));
    known.set(quarter, found);
    return found;
  };
}

function readOffset(text: string): number {
  const [, sign, hours, minutes] = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(text) ?? [];
  const ms = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000;
  return sign === '-' ? -ms : ms;
}

/** Midnight to midnight, UTC. */
export const YEAR_2026 = { fromMs: Date.UTC(2026, 0, 1), toMs: Date.UTC(2027, 0, 1) };

export const ZONES = [
  'America/New_York',
  'Europe/Oslo',
  'Australia/Sydney',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'America/St_Johns',
] as const;

/** The instants of 2026 at which the clocks of a zone are changed. */
export function changesOf(zone: string): readonly number[] {
  const offsetAt = zoneOffset(zone);
  const changes: number[] = [];
  for (let at = YEAR_2026.fromMs; at < YEAR_2026.toMs; at += QUARTER_MS) {
    if (offsetAt(at) !== offsetAt(at - QUARTER_MS)) changes.push(at);
  }
  return changes;
}
