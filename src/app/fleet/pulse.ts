import type { Database } from '../../db/connection/database.ts';
import { DatabaseSyncError } from '../../db/connection/database-error.ts';
import type { Schemas } from '../../db/control/schemas.ts';
import { type Beat, type BeatFacts, beatAll, type Pulse } from '../../db/lease/beat.ts';
import { renewLease } from '../../db/lease/lease.ts';
import type { LeaseHold } from '../../db/lease/lease-hold.ts';
import { SyncError } from '../../domain/errors.ts';
import { Liveness } from './liveness.ts';
import type { Standing } from './spreader.ts';

/** A dead leader's workspaces are free after that long; longer than any write may take. */
export const LEASE_MS = 9_000;
const BEAT_MS = 2_000;
/** How long is waited for an answer about all, about one, and for a lock on somebody's tables. */
const WAIT_MS = 2_500;
const WAIT_ALONE_MS = 1_000;
const LOCK_MS = 300;
/** What cannot be asked together may take this long; the rest comes next time. */
const APART_MS = 2_000;
/** Where a question fails, it is asked of so many parts: of hundreds the one at fault is soon found. */
const PARTS = 8;
/** Notifications come in crowds: when a process stops, one of each of its workspaces. */
const SOON_MS = 100;
/** How long after a lease has ended it is asked for. */
const AFTER_MS = 20;

/** One workspace of the database. */
export interface PulseTarget {
  readonly name: string;
  readonly schemas: Schemas;
  readonly db: Database;
  readonly hold: LeaseHold;
  /** Whether this process can lead it. */
  able(): boolean;
  /** Whether it has tables to ask: not before it was migrated. */
  ready(): boolean;
  /** Told why it could not be asked; null once it can. */
  onReach(error: SyncError | null): void;
}

/** A lease of somebody else that moves no more, and is over whatever its end says. */
export interface Seen extends Standing {
  readonly silent: string | null;
}

export interface PulseOptions {
  /** Any workspace's, for statements about all. */
  readonly db: Database;
  readonly process: string;
  readonly facts: () => Pick<BeatFacts, 'leads' | 'opening'>;
  /** Told how the workspaces stand that could be asked, by name. Must not throw. */
  readonly onLook: (seen: ReadonlyMap<string, Seen>) => void;
  /** Told of an error that nobody expected. */
  readonly onBug: (error: unknown) => void;
  readonly nowMs?: () => number;
}

/**
 * The heartbeat of a process in one database: says every two seconds, and whenever it is asked to,
 * that it is alive, renews its leases, and looks how the workspaces stand. One database that is away
 * holds up no other.
 */
export class PulseLoop {
  readonly #options: PulseOptions;
  readonly #nowMs: () => number;
  readonly #targets = new Map<string, PulseTarget>();
  /** Could not be asked: not together with others before they can. */
  readonly #apart = new Set<string>();
  readonly #alive = new Liveness(LEASE_MS);
  #timer: NodeJS.Timeout | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #turn: Promise<void> | null = null;
  #running = false;

  constructor(options: PulseOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  get size(): number {
    return this.#targets.size;
  }

  add(target: PulseTarget): void {
    this.#targets.set(target.name, target);
    this.soon();
  }

  remove(name: string): void {
    this.#targets.delete(name);
    this.#apart.delete(name);
  }

  start(): void {
    this.#running = true;
    this.soon();
  }

  /** Returns when nothing is under way. */
  async stop(): Promise<void> {
    this.#running = false;
    clearTimeout(this.#timer);
    await this.#turn;
  }

  /** Something has changed: beats within a tenth of a second. */
  soon(): void {
    this.#schedule(SOON_MS);
  }

  #schedule(inMs: number): void {
    const dueMs = this.#nowMs() + inMs;
    if (!this.#running || dueMs >= this.#dueMs) return;
    this.#dueMs = dueMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#begin(), inMs);
  }

  #begin(): void {
    this.#dueMs = Number.POSITIVE_INFINITY;
    // What is wanted while it beats comes after.
    if (this.#turn !== null) return this.#schedule(SOON_MS);
    this.#turn = this.#beat()
      .catch(this.#options.onBug)
      .finally(() => {
        this.#turn = null;
        this.#schedule(BEAT_MS);
      });
  }

  async #beat(): Promise<void> {
    const ready = [...this.#targets.values()].filter((target) => target.ready());
    const together = ready.filter(({ name }) => !this.#apart.has(name));
    const pulses = new Map<PulseTarget, Pulse>();
    const untilMs = this.#nowMs() + WAIT_MS + APART_MS;
    const apart = [...this.#apart];
    await this.#askParts(together, pulses, { waitMs: WAIT_MS, untilMs });
    await this.#askApart(apart, pulses, untilMs);
    const seen = new Map<string, Seen>();
    for (const [target, pulse] of pulses) seen.set(target.name, this.#see(target, pulse));
    this.#options.onLook(seen);
    for (const pulse of pulses.values()) this.#wakeAtEnd(pulse);
  }

  async #ask(
    targets: readonly PulseTarget[],
    pulses: Map<PulseTarget, Pulse>,
    waitMs: number,
  ): Promise<void> {
    if (targets.length === 0) return;
    const { db, process, facts } = this.#options;
    const asked = targets.map((target) => {
      const { schemas, hold } = target;
      const beat: Beat = { schemas, able: target.able(), held: hold.held };
      return { target, beat, end: hold.endOf(LEASE_MS) };
    });
    const answers = await beatAll(
      db,
      { ...facts(), process, ttlMs: LEASE_MS, waitMs, lockMs: LOCK_MS },
      asked.map(({ beat }) => beat),
    );
    for (const [n, { target, beat, end }] of asked.entries()) {
      const pulse = answers[n];
      if (pulse === undefined) continue;
      pulses.set(target, pulse);
      target.onReach(null);
      const { hold } = target;
      // It was let go of, or taken, while the answer was on its way.
      if (beat.held === null || hold.held !== beat.held) continue;
      if (pulse.renewed) hold.hold(beat.held, end);
      else await this.#renewAlone(target, beat.held, pulse);
    }
  }

  /** Where one cannot be asked, all others are before this returns, unless that takes too long. */
  async #askParts(
    targets: readonly PulseTarget[],
    pulses: Map<PulseTarget, Pulse>,
    { waitMs, untilMs }: { readonly waitMs: number; readonly untilMs: number },
  ): Promise<void> {
    if (this.#nowMs() > untilMs) return;
    try {
      await this.#ask(targets, pulses, waitMs);
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      if (isAway(error)) {
        for (const target of targets) target.onReach(error);
      } else if (targets.length === 1) {
        for (const target of targets) {
          target.onReach(error);
          this.#apart.add(target.name);
        }
      } else {
        const size = Math.ceil(targets.length / PARTS);
        for (let n = 0; n < targets.length; n += size) {
          const part = targets.slice(n, n + size);
          await this.#askParts(part, pulses, { waitMs: WAIT_ALONE_MS, untilMs });
        }
      }
    }
  }

  async #askApart(
    names: readonly string[],
    pulses: Map<PulseTarget, Pulse>,
    untilMs: number,
  ): Promise<void> {
    for (const name of names) {
      if (this.#nowMs() > untilMs) return;
      this.#apart.delete(name);
      const target = this.#targets.get(name);
      if (!target?.ready()) continue;
      try {
        await this.#ask([target], pulses, WAIT_ALONE_MS);
      } catch (error) {
        if (!(error instanceof SyncError)) throw error;
        target.onReach(error);
        // Behind the others: who takes long keeps nobody from his turn.
        this.#apart.add(name);
      }
    }
  }

  /** Somebody else's lock was in the way, or it is ours no more. */
  async #renewAlone({ hold, db }: PulseTarget, epoch: bigint, { lease }: Pulse): Promise<void> {
    const isOurs = lease?.epoch === epoch && lease.leftMs > 0;
    const end = hold.endOf(LEASE_MS);
    const waits = { reserved: true, lockTimeoutMs: LOCK_MS, statementTimeoutMs: WAIT_ALONE_MS };
    const renewed = isOurs && (await renewLease(db, epoch, LEASE_MS, waits).catch(() => null));
    if (renewed) hold.hold(epoch, end);
    // Whether an answer that was lost had prolonged it: what is left of it still counts.
    else if (renewed !== null) hold.letGo();
  }

  #see({ name, hold }: PulseTarget, { lease, members }: Pulse): Seen {
    const nowMs = this.#nowMs();
    const { process } = this.#options;
    const isOver = lease === null || !this.#alive.isAlive(`${name} lease`, lease, nowMs);
    const leader = hold.epoch !== null ? process : isOver ? null : (lease.holder ?? 'somebody');
    return {
      leader,
      silent: isOver && lease !== null && lease.leftMs > 0 ? lease.expiresAt : null,
      members: members.filter((member) =>
        this.#alive.isAlive(`${name} ${member.process}`, member, nowMs),
      ),
    };
  }

  /** A lease that is about to end has lost its holder: it is taken the moment it has. */
  #wakeAtEnd({ lease }: Pulse): void {
    if (lease === null || lease.leftMs <= 0 || lease.leftMs > BEAT_MS) return;
    this.#schedule(lease.leftMs + AFTER_MS);
  }
}

/** Of SQLSTATEs: connections, replicas, users, databases, resources, an administrator's hand. */
const AWAY: ReadonlySet<string> = new Set(['08', '25', '28', '3D', '53', '57']);
const TOO_LONG = '57014';

/** Whether the whole database is out of reach, and not the tables of one workspace. */
function isAway(error: SyncError): boolean {
  if (!(error instanceof DatabaseSyncError)) return true;
  const { sqlState } = error;
  return sqlState === null || (sqlState !== TOO_LONG && AWAY.has(sqlState.slice(0, 2)));
}
