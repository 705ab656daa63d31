import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../db/connection/database.ts';
import { notify } from '../../db/connection/listener.ts';
import type { Schemas } from '../../db/control/schemas.ts';
import { forgetDead, leave } from '../../db/lease/beat.ts';
import { acquireLease, releaseLease } from '../../db/lease/lease.ts';
import { LeaseHold } from '../../db/lease/lease-hold.ts';
import { SyncError } from '../../domain/errors.ts';
import type { Config } from '../config/config.ts';
import type { Logger } from '../log.ts';
import type { Session } from '../session.ts';
import type { FleetEntry } from './file.ts';
import { LEASE_MS, type PulseTarget } from './pulse.ts';
import { type Setback, Setbacks } from './setback.ts';

/** What is done with a workspace, and how; by the fleet, or by a test. */
export interface WorkspaceWork {
  /** Makes its control tables, after proof that its key is good where there are none yet. */
  prepare(config: Config, log: Logger, signal: AbortSignal): Promise<void>;
  /** Asks its CRM whether the key is good. */
  prove(config: Config, log: Logger, signal: AbortSignal): Promise<void>;
  open(config: Config, log: Logger, signal: AbortSignal): Promise<Session>;
  /** Works until the signal. @throws what no repetition mends. */
  serve(session: Session, options: ServeOptions): Promise<void>;
}

export interface ServeOptions {
  readonly lease: LeaseHold;
  readonly signal: AbortSignal;
  /** Returns once no other workspace waits to be opened, or after a while. */
  readonly calm: () => Promise<void>;
  readonly onReady: () => void;
}

export interface WorkspaceDeps {
  readonly db: Database;
  readonly holder: string;
  readonly log: Logger;
  readonly work: WorkspaceWork;
  /** Whether any workspace is still being prepared or opened. */
  readonly isBusy: () => boolean;
  /** Told that something of it has changed that others should know soon. */
  readonly onChange: () => void;
  /** Told why it stops, once for each reason. */
  readonly onFailed?: (error: unknown) => void;
}

/** Workspaces are pulled for the first time after this, whoever else is still being opened. */
const CALM_MS = 15_000;
const CALM_LOOK_MS = 250;
/** What takes longer waits for somebody, and keeps a process from nothing that it is given. */
const OPENING_MS = 10_000;

/** How far a workspace is in this process. */
export type WorkspaceState =
  | { readonly kind: 'preparing' | 'standing-by' | 'opening' | 'leading' | 'leaving' }
  | ({ readonly kind: 'broken' } & Setback);

/**
 * One workspace of a fleet in one process: stands by until it is told to take the lease, works while
 * it holds it, and stops alone. Where it fails it lets go of the lease, and is no candidate for it
 * until it has shown that it can: what works elsewhere is not to be moved here to fail again.
 */
export class FleetWorkspace implements PulseTarget {
  readonly hold: LeaseHold;
  readonly db: Database;
  readonly #deps: WorkspaceDeps;
  readonly #setbacks = new Setbacks();
  readonly #stopping = new AbortController();
  #entry: FleetEntry;
  #ready = false;
  #able = false;
  #unreached: SyncError | null = null;
  #session: Session | null = null;
  #runs = false;
  #takenMs = 0;
  /** Ends the work under the lease that is held. */
  #leaving: AbortController | null = null;
  /** Ends this round of it alone: it goes on with another configuration. */
  #round: AbortController | null = null;
  #work: Promise<void> | null = null;
  #preparing: Promise<void> | null = null;
  /** Ends this attempt to prepare it: it is tried with another configuration. */
  #attempt: AbortController | null = null;
  #retry: NodeJS.Timeout | undefined;

  constructor(entry: FleetEntry, deps: WorkspaceDeps) {
    this.#entry = entry;
    this.#deps = deps;
    this.db = deps.db;
    this.hold = new LeaseHold({
      onChange: (epoch) => {
        if (epoch === null) this.#leaving?.abort();
      },
    });
  }

  get name(): string {
    return this.#entry.name;
  }

  get config(): Config {
    return this.#entry.config;
  }

  get schemas(): Schemas {
    return this.db.schemas;
  }

  get log(): Logger {
    return this.#deps.log;
  }

  /** While this process leads it. */
  get session(): Session | null {
    return this.#session;
  }

  get state(): WorkspaceState {
    const { current } = this.#setbacks;
    if (current !== null) return { kind: 'broken', ...current };
    if (this.#unreached !== null && !this.#runs) return this.#away(this.#unreached);
    if (this.#work !== null) {
      if (this.#leaving?.signal.aborted) return { kind: 'leaving' };
      if (this.hold.held !== null) return { kind: this.#runs ? 'leading' : 'opening' };
    }
    return { kind: this.#ready ? 'standing-by' : 'preparing' };
  }

  able(): boolean {
    return this.#able;
  }

  ready(): boolean {
    return this.#ready;
  }

  /** Whether it was just taken, and the work has not begun. */
  isOpening(): boolean {
    const isNew = performance.now() - this.#takenMs < OPENING_MS;
    return this.hold.epoch !== null && !this.#runs && isNew;
  }

  /**
   * Whether it is being prepared, or on its way from the lease to its work. One that has failed and is
   * tried again is waited for by nobody.
   */
  isStarting(): boolean {
    if (this.#setbacks.current !== null) return false;
    return this.#preparing !== null || (this.#work !== null && !this.#runs);
  }

  onReach(error: SyncError | null): void {
    const before = this.#unreached;
    this.#unreached = error;
    if (error === null && before !== null) this.log.info('its database answers again');
    if (error === null) return;
    if (error.disposition === 'halt' && this.#work === null && this.#able) {
      // Somebody dropped its tables, say: they are looked at, and made, from the beginning.
      this.#ready = false;
      return this.#failed(error, 0);
    }
    if (error.code === before?.code) return;
    const { code, message, hint } = error;
    this.log.warn({ code, hint }, `its database does not answer, and is tried again: ${message}`);
  }

  /** Begins to make it ready, and to be a candidate. */
  start(): void {
    this.#begin(async (signal) => {
      await this.#deps.work.prepare(this.config, this.log, signal);
    });
  }

  /**
   * Takes the lease where it is free, and works.
   * @param silent see {@link acquireLease}.
   */
  take(silent: string | null): void {
    if (this.#work !== null || !this.#able || this.#stopping.signal.aborted) return;
    const leaving = new AbortController();
    this.#leaving = leaving;
    this.#work = this.#lead(silent, leaving.signal).finally(() => {
      this.#work = null;
      this.#leaving = null;
      this.#deps.onChange();
    });
  }

  /** Lets go of the lease once nothing is under way any more. */
  async give(): Promise<void> {
    this.#leaving?.abort();
    await this.#work;
  }

  /** Lends the session that it works with; where another process leads, one opened for that alone. */
  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    if (this.#session !== null) return await work(this.#session);
    const config = await this.#entry.again();
    const session = await this.#deps.work.open(config, this.log, this.#stopping.signal);
    try {
      return await work(session);
    } finally {
      await session.stop();
    }
  }

  /** Goes on with another configuration, under the lease that it holds. */
  async change(entry: FleetEntry): Promise<void> {
    this.#entry = entry;
    this.#setbacks.forget();
    clearTimeout(this.#retry);
    this.#round?.abort();
    this.#attempt?.abort();
    if (this.#work !== null && !this.#leaving?.signal.aborted && this.#able) return;
    await this.#preparing;
    this.start();
  }

  /** Is no candidate any more, and lets go. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#able = false;
    clearTimeout(this.#retry);
    await Promise.all([this.give(), this.#preparing]);
    if (this.#ready) await leave(this.db, this.#deps.holder).catch(() => undefined);
    this.#ready = false;
  }

  #away({ code, message, hint }: SyncError): WorkspaceState {
    return { kind: 'broken', code, message, hint: hint ?? null, retryAt: new Date() };
  }

  /** Makes it a candidate once `step` has worked, and tries that again until then. */
  #begin(step: (signal: AbortSignal) => Promise<void>): void {
    if (this.#stopping.signal.aborted || this.#preparing !== null) return;
    this.#attempt = new AbortController();
    const signal = AbortSignal.any([this.#stopping.signal, this.#attempt.signal]);
    const attempt = async () => {
      try {
        await step(signal);
        if (signal.aborted) return;
        this.#ready = true;
        this.#able = true;
        if (this.#setbacks.current !== null) this.log.info('can be led here again');
        this.#setbacks.over();
        this.#deps.onChange();
      } catch (error) {
        if (!signal.aborted) this.#failed(error, 0);
      }
    };
    this.#preparing = attempt().finally(() => {
      this.#preparing = null;
    });
  }

  /** Never throws: what goes wrong is said, and the lease let go of. */
  async #lead(silent: string | null, leaving: AbortSignal): Promise<void> {
    let workedMs = 0;
    try {
      const epoch = await this.#acquire(silent);
      if (epoch === null) return;
      this.log.info({ epoch: epoch.toString() }, 'leading');
      this.#deps.onChange();
      while (!leaving.aborted) {
        const round = new AbortController();
        this.#round = round;
        const startedMs = performance.now();
        try {
          await this.#serve(AbortSignal.any([leaving, round.signal]));
        } finally {
          workedMs = performance.now() - startedMs;
        }
        if (!round.signal.aborted) break;
      }
    } catch (error) {
      if (!leaving.aborted) this.#failed(error, workedMs);
    } finally {
      this.#round = null;
      await this.#release();
    }
  }

  async #serve(signal: AbortSignal): Promise<void> {
    const { work, onChange } = this.#deps;
    try {
      // Anew: a key may have been changed in its file, or the file may be gone.
      const config = await this.#entry.again();
      const session = await work.open(config, this.log, signal);
      this.#session = session;
      if (signal.aborted) return;
      const onReady = () => {
        this.#runs = true;
        onChange();
      };
      const calm = () => this.#calm(signal);
      await work.serve(session, { lease: this.hold, signal, calm, onReady });
    } catch (error) {
      // What ends because it is to end is no failure.
      if (!signal.aborted) throw error;
    } finally {
      this.#runs = false;
      const session = this.#session;
      this.#session = null;
      await session?.stop();
    }
  }

  /** A hundred are opened within seconds where nothing else wants the connections meanwhile. */
  async #calm(signal: AbortSignal): Promise<void> {
    const endMs = performance.now() + CALM_MS;
    while (!signal.aborted && this.#deps.isBusy() && performance.now() < endMs) {
      await sleep(CALM_LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #acquire(silent: string | null): Promise<bigint | null> {
    const { holder } = this.#deps;
    const end = this.hold.endOf(LEASE_MS);
    const waits = { reserved: true, lockTimeoutMs: 1_000, statementTimeoutMs: 2_000 };
    try {
      const lease = await this.db.transaction(
        (tx) => acquireLease(tx, { holder, ttlMs: LEASE_MS, silent }),
        waits,
      );
      if (lease === null) return null;
      this.hold.hold(lease.epoch, end);
      this.#takenMs = performance.now();
      return lease.epoch;
    } catch (error) {
      // The next look tells; whether the statement was carried out is no matter, it was never used.
      if (!(error instanceof SyncError)) throw error;
      this.log.debug({ code: error.code }, 'lease not taken');
      return null;
    }
  }

  async #release(): Promise<void> {
    const epoch = this.hold.held;
    this.hold.letGo();
    if (epoch === null) return;
    this.log.info({ epoch: epoch.toString() }, 'standing by');
    try {
      await this.db.transaction(
        async (tx) => {
          await releaseLease(tx, epoch);
          await notify(tx, 'lease', '');
        },
        { reserved: true },
      );
      await forgetDead(this.db);
    } catch (error) {
      // Where the database is gone the lease runs out by itself.
      this.log.debug({ err: error }, 'lease not released');
    }
  }

  #failed(error: unknown, workedMs: number): void {
    const before = this.#setbacks.current?.code;
    if (!(error instanceof SyncError) || error.code !== before) this.#deps.onFailed?.(error);
    const pauseMs = this.#setbacks.failed(error, workedMs);
    this.#able = false;
    this.#say(error, before, pauseMs);
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.#begin(async (signal) => {
        const config = await this.#entry.again();
        await this.#deps.work.prove(config, this.log, signal);
        await this.#deps.work.prepare(config, this.log, signal);
      });
    }, pauseMs);
  }

  #say(error: unknown, before: string | undefined, pauseMs: number): void {
    const retryInSeconds = Math.ceil(pauseMs / 1_000);
    if (!(error instanceof SyncError)) {
      return this.log.error({ err: error, retryInSeconds }, 'stopped by a bug, and is tried again');
    }
    const { code, hint } = error;
    const level = code === before ? 'debug' : 'error';
    const message = `stopped, and is tried again: ${error.message}`;
    this.log[level]({ code, hint, retryInSeconds }, message);
  }
}
