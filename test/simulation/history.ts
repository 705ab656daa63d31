import type { Switches } from '../../src/emulator/clarify/switches.ts';
import type { Arena } from './arena.ts';
import { type Chance, createChance } from './chance.ts';
import { localStep } from './local-steps.ts';
import { remoteStep } from './remote-steps.ts';
import { syncStep } from './sync-steps.ts';
import { judge, type Verdict } from './verdict.ts';
import { openWorld, type World, type WorldOptions } from './world.ts';
import type { WritingKind } from './writing.ts';

export interface HistoryResult extends Verdict {
  readonly seed: number;
  readonly log: readonly string[];
  /** The control tables of a history that failed. */
  readonly dump: readonly string[];
  readonly durationMs: number;
}

/** What is no question in the older dialect. */
const CLASSIC_SWITCHES: Partial<Switches> = { totalPages: 'always', deletedFeed: 'missing' };

/** What one server makes of the questions the API leaves open. */
function drawSwitches(chance: Chance): Partial<Switches> {
  const { once, of } = chance;
  // Where answers leave nulls out, nothing tells that a link was cleared.
  const omitNulls = once(3);
  return {
    ratePerMinute: 1_000_000,
    dateFilters: of(['instants', 'days']),
    isAfter: of(['strict', 'inclusive']),
    tieOrder: of(['stable', 'reversed', 'shuffled']),
    updatedAtUntilEdit: of(['set', 'set', 'null', 'absent']),
    noopBumps: once(2),
    visibilityDelayMs: of([0, 0, 0, 800, 4_000, 11_000]),
    lateShare: of([1, 0.3]),
    deletedFeed: once(4) ? 'missing' : 'present',
    mergedInDeletedFeed: once(2),
    mergesBump: of(['none', 'target', 'all']),
    linksBump: of(['none', 'owner', 'both']),
    deletedTargets: of(omitNulls ? ['keep'] : ['keep', 'clear']),
    linkageCap: of([1, 25]),
    bulkRecordsMax: of([0, 0, 3]),
    bulkAnswerOrder: of(['request', 'shuffled']),
    bulkDelete: of(['present', 'present', '404', '405']),
    omitNulls,
    ignoresUnknownTopLevelKeys: true,
    matchedCollections: of(['append', 'replace']),
    pageDefault: 25,
    totalPages: of(['always', 'sometimes', 'never']),
    normalises: of(['case', 'trim', 'nothing']),
    danglingLinks: of(['refuse', 'accept']),
  };
}

export function dialectOf(seed: number): 'current' | 'classic' {
  return createChance(`dialect ${seed}`).once(4) ? 'classic' : 'current';
}

/** One history from its seed: both sides at work, every kind of trouble, and the verdict. */
export async function runHistory(
  arena: Arena,
  seed: number,
  options: { readonly tell?: (line: string) => void; readonly writing?: WritingKind } = {},
): Promise<HistoryResult> {
  const { tell = () => undefined, writing = 'bulk' } = options;
  const chance = createChance(`history ${seed}`);
  // Drawn apart, so that seeds of old live the same histories.
  const omitUnsent = createChance(`unsent ${seed}`).once(4);
  const drawn = { ...drawSwitches(chance), omitUnsent };
  const switches: Partial<Switches> =
    arena.dialect === 'classic' ? { ...drawn, ...CLASSIC_SWITCHES } : drawn;
  const policy = chance.of(['newest', 'newest', 'newest', 'remote', 'local', 'manual'] as const);
  const worldOptions = {
    seed: String(seed),
    switches,
    policy,
    writing,
    mutate: (text: string) => text,
  };
  const result = await live(arena, worldOptions, async (world) => {
    const say = (line: string) => {
      world.log.push(line);
      tell(line);
    };
    say(`${writing}, ${arena.dialect}, ${policy}, ${JSON.stringify(switches)}`);
    const steps = chance.int(5, 40);
    for (let step = 0; step < steps; step += 1) {
      const did = await anyStep(world);
      say(`${new Date(world.clock.nowMs()).toISOString().slice(11, 23)} ${step}. ${did}`);
      world.signal.throwIfAborted();
    }
    return [];
  });
  return { ...result, seed };
}

/**
 * A world from its beginning to its verdict.
 *
 * @param act does what is done there, and says what it saw that may not be.
 */
export async function live(
  arena: Arena,
  options: WorldOptions,
  act: (world: World) => Promise<readonly string[]>,
): Promise<Omit<HistoryResult, 'seed'>> {
  const startedMs = performance.now();
  const world = await openWorld(arena, options);
  const finish = async (verdict: Verdict): Promise<Omit<HistoryResult, 'seed'>> => {
    const dump = verdict.problems.length > 0 ? await dumpTables(arena) : [];
    const durationMs = performance.now() - startedMs;
    return { ...verdict, log: world.log, dump, durationMs };
  };
  try {
    const seen = await act(world);
    const verdict = await judge(world);
    return await finish({ ...verdict, problems: [...seen, ...verdict.problems] });
  } catch (error) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const problem = world.signal.aborted ? `it did not end after ${world.log.at(-1)}` : stack;
    return await finish({ problems: [problem], parked: {}, passes: 0 });
  } finally {
    await world.close();
  }
}

/** What the outbox and the maps hold. Every value is the simulation's own. */
async function dumpTables({ client }: Arena): Promise<readonly string[]> {
  const { rows } = await client.query<{ line: string }>(
    `SELECT concat_ws(' ', 'entry', id, object, record_id, op, state, changes, 'sent', sent, 'by', blocked_by,
                      'attempts', attempts, last_error, created_at::time, sent_at::time, done_at::time) AS line
       FROM (SELECT * FROM clarify_sync.outbox ORDER BY id) AS o
     UNION ALL
     SELECT concat_ws(' ', 'id', object, old_id, id, reason, mapped_at::time) FROM clarify_sync.id_map
     UNION ALL
     SELECT concat_ws(' ', 'conflict', object, record_id, field, base, local, remote, policy, resolution, detected_at::time)
       FROM clarify_sync.conflict
     UNION ALL
     SELECT concat_ws(' ', 'tombstone', object, id, reason, deleted_at::time, noticed_at::time)
       FROM clarify_sync.tombstone
     UNION ALL
     SELECT concat_ws(' ', 'deferred', object, id, read_at::time) FROM clarify_sync.deferred
     UNION ALL
     SELECT concat_ws(' ', 'cursor', to_jsonb(c)) FROM clarify_sync.cursor AS c`,
  );
  return rows.map(({ line }) => line);
}

async function anyStep(world: World): Promise<string> {
  const side = world.chance.weighted([
    [4, 'local'],
    [3, 'remote'],
    [5, 'sync'],
  ] as const);
  if (side === 'local') return await localStep(world);
  return side === 'remote' ? await remoteStep(world) : await syncStep(world);
}
