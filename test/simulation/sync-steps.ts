import { type ObjectRun, pullAll } from '../../src/app/pull-all.ts';
import { pushDeps } from '../../src/app/push-once.ts';
import { withDeletions } from '../../src/app/reconcile-all.ts';
import type { Session } from '../../src/app/session.ts';
import { sweepAll } from '../../src/app/sweep-all.ts';
import { LeaseKeeper } from '../../src/db/lease/lease-keeper.ts';
import { SyncError } from '../../src/domain/errors.ts';
import type { Fault } from '../../src/emulator/kernel/faults.ts';
import { runPush } from '../../src/push/push.ts';
import type { PushResult } from '../../src/push/push-line.ts';
import { localStep } from './local-steps.ts';
import { Dead } from './mortal.ts';
import { remoteStep } from './remote-steps.ts';
import type { Daemon, World } from './world.ts';

/** How a pass ended, where it did not end well; rethrows what nobody may ever see. */
function excuse(error: unknown): string {
  if (error instanceof Dead) return 'killed';
  if (error instanceof SyncError && error.disposition === 'retry') return error.code;
  throw error;
}

/** What a complete pass reads: changes, deletions where no feed tells, and what is due of the sweep. */
export async function readAll(session: Session, signal: AbortSignal): Promise<ObjectRun[]> {
  const reading = { signal, priority: 'pull' } as const;
  const runs: ObjectRun[] = [];
  for (const run of await pullAll(session, reading)) {
    runs.push(await withDeletions(session, run, reading));
  }
  await sweepAll(session, reading);
  return runs;
}

export async function pull(world: World, daemon: Daemon): Promise<string> {
  try {
    const session = await daemon.session();
    const runs = await readAll(session, world.signal);
    const bad = runs.filter(({ state }) => state !== 'ok');
    return `${daemon.name}: pull ${bad.map(({ object, error }) => `${object} ${error?.code}`).join(', ') || 'ok'}`;
  } catch (error) {
    return `${daemon.name}: pull, ${excuse(error)}`;
  }
}

/** @returns null where somebody else leads. */
export async function pushOnce(world: World, session: Session): Promise<PushResult | null> {
  const keeper = new LeaseKeeper(session.db, {
    holder: session.holder,
    monotonicMs: world.clock.monotonicMs,
    nowMs: world.clock.nowMs,
  });
  world.pushing += 1;
  try {
    await keeper.start();
    if (keeper.epoch === null) return null;
    return await runPush(pushDeps(session, keeper), world.signal);
  } finally {
    await keeper.stop();
    world.pushing -= 1;
  }
}

/** Sends once, as whoever leads does. */
export async function push(world: World, daemon: Daemon): Promise<string> {
  try {
    const result = await pushOnce(world, await daemon.session());
    if (result === null) return `${daemon.name}: push, somebody else leads`;
    const { waitMs, ...counts } = result;
    const counted = Object.entries(counts).filter(([, count]) => count > 0);
    return `${daemon.name}: push ${counted.map((pair) => pair.join(' ')).join(', ')}${waitMs === null ? '' : `, wait ${waitMs}`}`;
  } catch (error) {
    return `${daemon.name}: push, ${excuse(error)}`;
  }
}

async function sync(world: World, daemon: Daemon): Promise<string> {
  return `${await pull(world, daemon)}; ${await push(world, daemon)}`;
}

/** Things that happen at the same time. */
async function together(world: World): Promise<string> {
  const { chance, daemons, clock } = world;
  const [a, b] = [chance.of(daemons), chance.of(daemons)];
  const jobs: Promise<string>[] = [push(world, a)];
  if (a === b || chance.once(3)) jobs.push(pull(world, b));
  else jobs.push(push(world, b));
  for (let n = chance.int(0, 2); n > 0; n -= 1) {
    jobs.push(
      (async () => {
        await clock.pass(1);
        return chance.once(2) ? await remoteStep(world) : await localStep(world);
      })(),
    );
  }
  if (chance.once(3)) jobs.push(clock.pass(chance.int(4, 14) * 1_000).then(() => 'time passes'));
  // Nobody may be left running when the first one fails.
  const ends = await Promise.allSettled(jobs);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return `together: ${ends.map((end) => (end.status === 'fulfilled' ? end.value : '')).join(' | ')}`;
}

const WRITES = ['POST', 'PATCH', 'DELETE'] as const;

function drawFault({ chance }: World): Fault {
  const method = chance.once(3) ? {} : { method: chance.of([...WRITES, 'GET']) };
  const where = { ...method, after: chance.int(0, 3), count: chance.int(1, 3) };
  const applied = { applied: chance.once(2) };
  return chance.weighted<() => Fault>([
    [2, () => ({ ...where, kind: 'status', status: 429, retryAfter: chance.int(0, 3) })],
    [3, () => ({ ...where, ...applied, kind: 'status', status: chance.of([500, 502, 503, 504]) })],
    [2, () => ({ ...where, ...applied, kind: 'html', status: 502 })],
    [1, () => ({ ...where, ...applied, kind: 'empty', status: 500 })],
    [2, () => ({ ...where, kind: 'reset-before-write' })],
    [4, () => ({ ...where, kind: 'reset-after-write' })],
    [1, () => ({ ...where, kind: 'truncated' })],
    [1, () => ({ ...where, kind: 'malformed' })],
    [1, () => ({ ...where, kind: 'slow', ms: chance.int(5, 30) })],
    [1, () => ({ ...where, ...applied, count: 1, kind: 'timeout' })],
  ])();
}

function fault(world: World): string {
  if (world.chance.once(3)) {
    world.emulator.faults.clear();
    return 'faults cleared';
  }
  const drawn = drawFault(world);
  world.emulator.faults.add(drawn);
  return `fault ${JSON.stringify(drawn)}`;
}

async function stroke(world: World): Promise<string> {
  const { chance } = world;
  const daemon = chance.of(world.daemons);
  await daemon.session();
  const kind = chance.once(3) ? 'flake' : 'kill';
  const at = chance.once(2) ? 'before' : 'after';
  const within = chance.int(1, chance.of([10, 40, 120]));
  daemon.fate.arm({ kind, at, in: within });
  return `${daemon.name}: ${kind} ${at} operation ${within}`;
}

async function passTime({ chance, clock }: World): Promise<string> {
  const seconds = chance.of([1, 5, 11, 16, 40]);
  await clock.skip(seconds * 1_000);
  return `${seconds} s pass`;
}

/** What the daemons do, and what is done to them. */
export async function syncStep(world: World): Promise<string> {
  const daemon = world.chance.of(world.daemons);
  const step = world.chance.weighted<() => string | Promise<string>>([
    [4, () => pull(world, daemon)],
    [5, () => push(world, daemon)],
    [5, () => sync(world, daemon)],
    [5, () => together(world)],
    [3, () => fault(world)],
    [3, () => stroke(world)],
    [3, () => passTime(world)],
  ]);
  return await step();
}
