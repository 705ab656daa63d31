import { BEFORE_FLEETS, buildAt } from './baseline.ts';
import { atMost, show } from './figures.ts';
import type { Idle } from './idle.ts';
import { measureApart } from './measure-apart.ts';
import { measureFleet } from './measure-fleet.ts';
import type { Told } from './parts.ts';
import { startPostgres } from './postgres.ts';
import { withWorkspaces } from './workspaces.ts';

const IDLE_MS = 120_000;
const MEGABYTE = 1_000_000;
const MOST_CONNECTIONS = 16;
/** Of each of the processes before, and room for what looks on. */
const CONNECTIONS_EACH = 12;

/**
 * Many idle workspaces in one process, beside a process for each of them by the program as it was
 * before that was possible; on one server, one after the other.
 */
export async function fleetPart({ tell, sizes: { workspaces: count } }: Told): Promise<void> {
  const main = await buildAt(BEFORE_FLEETS);
  const postgres = await startPostgres({ max_connections: String(count * CONNECTIONS_EACH + 50) });
  try {
    await withWorkspaces(count, async (workspaces) => {
      const fleet = await measureFleet(postgres, workspaces, IDLE_MS);
      const apart = await measureApart(postgres, workspaces, { main, idleMs: IDLE_MS });
      const what = `${show(count)} idle workspaces in one process`;
      const beside = `of ${show(count)} processes before`;
      const { bytes, proportionalBytes } = fleet.idle.resident;
      const megabytes = (value: number) => `${show(value / MEGABYTE)} MB`;
      tell({
        name: `${what}, resident memory`,
        value: bytes / MEGABYTE,
        unit: 'MB',
        limit: atMost(500),
      });
      tell({
        name: `${what}, resident memory, share of that ${beside}`,
        value: bytes / apart.resident.bytes,
        unit: 'times',
        limit: atMost(1 / 15),
        note: `${megabytes(apart.resident.bytes)} there; with shared pages in parts ${megabytes(proportionalBytes)} beside ${megabytes(apart.resident.proportionalBytes)}`,
      });
      tell({
        name: `${what}, connections to their database`,
        value: fleet.idle.connections,
        unit: 'connections',
        limit: atMost(MOST_CONNECTIONS),
        note: `${show(apart.connections)} there`,
      });
      tell({
        name: `${what}, processor time, share of that ${beside}`,
        value: total(fleet.idle) / total(apart),
        unit: 'times',
        limit: atMost(0.5),
        note: `over ${IDLE_MS / 1000} s ${describe(fleet.idle)} beside ${describe(apart)} (process + Postgres)`,
      });
      tell({
        name: `from a commit in one of ${show(count)} workspaces to its CRM, median`,
        value: fleet.medianMs,
        unit: 'ms',
        limit: atMost(100),
        note: `99th percentile ${show(fleet.worst1PercentMs)} ms`,
      });
      tell({
        name: `start of ${show(count)} workspaces from a warm database`,
        value: fleet.startMs / 1000,
        unit: 's',
        limit: atMost(20),
        note: `until each runs; until what waited in each was sent: ${show(fleet.sentMs / 1000)} s`,
      });
    });
  } finally {
    await postgres.stop();
  }
}

const total = ({ processorMs, databaseMs }: Idle) => processorMs + databaseMs;
const describe = ({ processorMs, databaseMs }: Idle) =>
  `${show(processorMs / 1000)} + ${show(databaseMs / 1000)} s`;
