import type { Switches } from '../../src/emulator/switches.ts';
import type { Arena } from './arena.ts';
import { type Chance, createChance } from './chance.ts';
import { localStep } from './local-steps.ts';
import { remoteStep } from './remote-steps.ts';
import { syncStep } from './sync-steps.ts';
import { judge, type Verdict } from './verdict.ts';
import { openWorld, type World } from './world.ts';

export interface HistoryResult extends Verdict {
  readonly seed: number;
  readonly log: readonly string[];
  readonly durationMs: number;
}

/** What one server makes of the questions the API leaves open. */
function drawSwitches(chance: Chance): Partial<Switches> {
  const { once, of } = chance;
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
    bulkRecordsMax: of([0, 0, 3]),
    bulkAnswerOrder: of(['request', 'shuffled']),
    bulkDelete: of(['present', 'present', '404', '405']),
    omitNulls: once(3),
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
  tell: (line: string) => void = () => undefined,
): Promise<HistoryResult> {
  const startedMs = performance.now();
  const chance = createChance(`history ${seed}`);
  const switches = drawSwitches(chance);
  const policy = chance.of(['newest', 'newest', 'newest', 'remote', 'local', 'manual'] as const);
  const world = await openWorld(arena, { seed: String(seed), switches, policy });
  const say = (line: string) => {
    world.log.push(line);
    tell(line);
  };
  say(`${arena.dialect}, ${policy}, ${JSON.stringify(switches)}`);
  const finish = (verdict: Verdict): HistoryResult => {
    return { ...verdict, seed, log: world.log, durationMs: performance.now() - startedMs };
  };
  try {
    const steps = chance.int(5, 40);
    for (let step = 0; step < steps; step += 1) say(`${step}. ${await anyStep(world)}`);
    return finish(await judge(world));
  } catch (error) {
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return finish({ problems: [problem], parked: {}, passes: 0 });
  } finally {
    await world.close();
  }
}

async function anyStep(world: World): Promise<string> {
  const side = world.chance.weighted([
    [4, 'local'],
    [3, 'remote'],
    [5, 'sync'],
  ] as const);
  if (side === 'local') return await localStep(world);
  return side === 'remote' ? remoteStep(world) : await syncStep(world);
}
