import type { FleetReads, Reading } from './fleet-reads.ts';
import { isLate, PROBE_MS, type Readiness } from './probes.ts';
import type { FleetSource, NextRun, WorkspaceState } from './status-source.ts';
import { withinMs } from './within.ts';

/** One workspace, as readiness looks at it. */
export interface ProbedWorkspace {
  readonly state: WorkspaceState['kind'];
  /** Null where nothing was read of it. */
  readonly reading: Reading | null;
  readonly nextRun: (object: string) => NextRun | null;
}

/**
 * Whether this process does its work, which is not whether every workspace is well: one that is
 * broken, a revoked key say, must not take a process out of service, or hold up a rollout. Not
 * ready is a process that reaches no database, that has led none and found nobody who does, or all
 * of whose workspaces it has not read for long. Numbers alone: who asks has no token, and the
 * workspaces may be named after customers.
 */
export function judgeFleet(workspaces: readonly ProbedWorkspace[]): Readiness {
  const total = workspaces.length;
  const answered = workspaces.filter(({ reading }) => isAnswer(reading));
  const broken = workspaces.filter(({ state }) => state === 'broken');
  const mine = workspaces.filter(({ state }) => state === 'leading');
  const led = workspaces.filter(
    ({ state, reading }) => state === 'leading' || (reading?.lease ?? null) !== null,
  );
  const late = mine.filter(
    ({ reading, nextRun }) => reading?.objects.some((one) => isLate(one, nextRun)) ?? false,
  );
  const checks = [
    {
      ok: total === 0 || answered.length > 0,
      line: `databases: answer for ${answered.length} of ${total} workspaces`,
    },
    {
      ok: total === broken.length || led.length > 0,
      line: `led: ${led.length} of ${total}, ${mine.length} by this process`,
    },
    {
      ok: mine.length === 0 || late.length < mine.length,
      line: `late: ${late.length} of ${mine.length}`,
    },
    // Told, and no reason not to be ready.
    { ok: true, line: `broken: ${broken.length} of ${total}` },
  ];
  return {
    ready: checks.every(({ ok }) => ok),
    lines: checks.map(({ ok, line }) => `${ok ? 'ok' : 'not ok'} - ${line}`),
  };
}

/** Also that there is nothing to read: a workspace whose key was never good has no tables yet. */
const ANSWERS: ReadonlySet<string> = new Set(['database-statement', 'database-permission']);

function isAnswer(reading: Reading | null): boolean {
  return reading !== null && (reading.problem === null || ANSWERS.has(reading.problem.code));
}

/**
 * Who probes does so every few seconds, for ever: what it asks for must not be read as often. Who
 * leads here, and what is stopped, this process knows by itself; what is late is so by minutes.
 */
const GOOD_MS = 60_000;

/** What has not answered by then counts as no answer, unless it answered a moment ago. */
export async function probeFleet(fleet: FleetSource, reads: FleetReads): Promise<Readiness> {
  const sources = fleet.workspaces();
  await withinMs(PROBE_MS, Promise.all(sources.map((source) => reads.read(source, GOOD_MS))));
  return judgeFleet(
    sources.map((source) => {
      return {
        state: source.state().kind,
        reading: reads.known(source),
        nextRun: (object) => source.nextRun(object),
      };
    }),
  );
}
