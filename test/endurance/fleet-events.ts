import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningCli } from '../e2e/cli-process.ts';
import { type FleetRig, spreadOf } from '../e2e/fleet-rig.ts';

/** What happens to a fleet, and how long each takes until it is evenly spread again. */
export interface FleetEvents {
  begin(processes: number): Promise<void>;
  round(round: number): Promise<void>;
  /** What took longer than it may. */
  late(): readonly string[];
}

/** By contract; a second more for looking. */
const COMES_MS = 31_000;
const DIES_MS = 11_000;
const STOPS_MS = 6_000;
/** Between two events: edits go on. */
const QUIET_MS = 5_000;

export function eventsOf(rig: FleetRig, print: (line: string) => void): FleetEvents {
  const late: string[] = [];
  const live: RunningCli[] = [];
  const broken = new Set<string>();

  /** Led, evenly, by the processes there are; what is broken, by nobody. */
  async function isEven(): Promise<boolean> {
    const leaders = await rig.leaders();
    for (const name of broken) leaders.delete(name);
    const loads = spreadOf(leaders);
    const [least = 0] = loads;
    const led = loads.length === Math.min(live.length, leaders.size);
    return led && least > 0 && (loads.at(-1) ?? 0) - least <= 1;
  }

  async function timed(what: string, limitMs: number, done = isEven): Promise<void> {
    const startedMs = performance.now();
    while (!(await done())) {
      if (performance.now() - startedMs > limitMs * 3) break;
      await sleep(50);
    }
    const tookMs = performance.now() - startedMs;
    print(`${(tookMs / 1_000).toFixed(1).padStart(6)} s  ${what}`);
    if (tookMs > limitMs) late.push(`${what}: ${Math.round(tookMs)} ms, of ${limitMs}`);
    await sleep(QUIET_MS);
  }

  async function start(): Promise<void> {
    live.push(await rig.start());
  }

  const hangUp = () => {
    for (const { child } of live) child.kill('SIGHUP');
  };

  async function isLed(name: string): Promise<boolean> {
    const leases = await rig.database.db.query(
      `SELECT FROM ${name}_sync.lease WHERE expires_at > clock_timestamp()`,
    );
    return leases.length > 0;
  }

  return {
    async begin(processes) {
      const starting = Array.from({ length: processes }, start);
      await Promise.all(starting);
      await timed(`${processes} processes come to ${rig.names().length} workspaces`, COMES_MS);
    },
    async round(round) {
      live.shift()?.child.kill('SIGKILL');
      await timed('one is killed', DIES_MS);
      await start();
      await timed('another comes', COMES_MS);
      live.shift()?.child.kill('SIGTERM');
      await timed('one is stopped', STOPS_MS);
      await start();
      await timed('another comes', COMES_MS);
      const [first = ''] = rig.names();
      const fault = rig.emulator(first).faults.add({ kind: 'status', status: 401 });
      broken.add(first);
      await timed(
        'a key is revoked',
        COMES_MS,
        async () => !(await isLed(first)) && (await isEven()),
      );
      rig.emulator(first).faults.clear(fault);
      broken.delete(first);
      await timed('it is good again', 60_000);
      const [, second = ''] = rig.names();
      await rig.addWorkspace(`more_${round}`);
      await rig.write();
      hangUp();
      await timed('SIGHUP: one comes', COMES_MS);
      rig.retire(second);
      await rig.write();
      hangUp();
      await timed(
        'SIGHUP: one goes',
        COMES_MS,
        async () => !(await isLed(second)) && (await isEven()),
      );
    },
    late: () => late,
  };
}
