import { INTERCEPTED } from '../../domain/errors.ts';
import type { Outgoing } from '../outgoing.ts';
import type { Sent } from '../sent.ts';
import { chunk } from './batches.ts';
import { type Inquiry, isRefusal, type Named } from './inquiry.ts';
import type { Told } from './refusal.ts';

/**
 * Sends one batch, and finds out who of it is refused. Whoever is named is put off, and the others go again
 * at once; where nobody is named, one is looked for by halving. So is one whom something before the API does
 * not let through.
 */
export class Isolation {
  readonly #inquiry: Inquiry;
  /** Told of each once: whether somebody else takes care of it. */
  readonly #passOver: (change: Outgoing) => boolean;
  #left: readonly Outgoing[];
  /** As many may go in one call: the server has a limit. */
  #most: number;
  /** As many go in the next one. */
  #size: number;
  /** Taken since one was refused. */
  #run = 0;
  /** Whether what goes is left of a call of which some were named. */
  #isRest = false;
  /** How many of those that are left were intercepted together: one of them is meant. */
  #among = 0;

  constructor(
    inquiry: Inquiry,
    batch: readonly Outgoing[],
    passOver: (change: Outgoing) => boolean,
  ) {
    this.#inquiry = inquiry;
    this.#passOver = passOver;
    this.#left = batch;
    this.#most = batch.length;
    this.#size = this.#inquiry.density.isHigh ? 1 : batch.length;
  }

  async run(): Promise<void> {
    while (this.#left.length > 0) {
      const group = this.#left.slice(0, Math.min(this.#size, this.#most));
      this.#left = this.#left.slice(group.length);
      const told = await this.#inquiry.call(group);
      if (told !== null) await this.#goOn(group, told);
      else if (this.#inquiry.isStopped) return;
    }
  }

  async #goOn(group: readonly Outgoing[], told: Told): Promise<void> {
    switch (told.kind) {
      case 'settled':
        return await this.#settled(group, told.results);
      case 'too-large':
        this.#most = Math.ceil(group.length / 2);
        this.#left = [...group, ...this.#left];
        return;
      case 'refused':
        return await this.#refused(group, told.named);
    }
  }

  async #settled(group: readonly Outgoing[], results: readonly Sent[]): Promise<void> {
    const isIntercepted = results.every(wasIntercepted);
    if (isIntercepted && this.#isSought(group)) {
      this.#among = group.length;
      this.#size = Math.ceil(group.length / 2);
      this.#left = [...group, ...this.#left];
      return;
    }
    const { isTaken, isRefused } = await this.#took(results);
    if (this.#isRest && isTaken) this.#inquiry.mayNameAll = true;
    this.#isRest &&= !isTaken;
    this.#inquiry.intercepted = isIntercepted ? this.#inquiry.intercepted + 1 : 0;
    if (isRefused) this.#startAnew(this.#run);
    else if (isTaken) this.#grow(group.length);
    else if (isIntercepted) {
      this.#among = 0;
      // Nobody gets through: more calls would tell no more.
      if (this.#inquiry.intercepted >= MOST_INTERCEPTED) this.#size = this.#most;
    }
  }

  /** Mostly it passes by itself, and where nobody gets through nobody is meant. */
  #isSought(group: readonly Outgoing[]): boolean {
    if (group.length === 1 || this.#inquiry.intercepted >= MOST_INTERCEPTED) return false;
    return group.some(({ attempts }) => attempts > 1);
  }

  #grow(taken: number): void {
    // Whoever is meant is among the rest of those that did not get through together.
    this.#among = Math.max(0, this.#among - taken);
    const next = this.#among > 0 ? Math.ceil(this.#among / 2) : this.#size * 2;
    this.#size = this.#inquiry.density.isHigh ? 1 : next;
  }

  async #refused(group: readonly Outgoing[], named: Named): Promise<void> {
    if (named.size === 0) {
      this.#left = [...(await this.#search(group)), ...this.#left];
      return this.#startAnew(this.#run + 1);
    }
    if (named.size === group.length) {
      this.#left = [...(await this.#inquiry.blame(named)), ...this.#left];
    } else {
      const rest = [...this.#without(named, group), ...this.#left];
      this.#left = rest.filter((change) => !this.#passOver(change));
    }
    if (this.#inquiry.density.isHigh) this.#size = 1;
  }

  async #took(results: readonly Sent[]) {
    await this.#inquiry.conclude(results);
    const delivered = results.filter(({ kind }) => kind === 'delivered').length;
    this.#run += delivered;
    return { isTaken: delivered === results.length, isRefused: results.some(isRefusal) };
  }

  #startAnew(next: number): void {
    this.#size = this.#inquiry.density.isHigh ? 1 : Math.max(1, next);
    this.#run = 0;
  }

  /** Splits off what is named. @returns who is left of the group. */
  #without(named: Named, group: readonly Outgoing[]): readonly Outgoing[] {
    this.#inquiry.suspect(named);
    // Named one at a time, and again and again, most of them will be.
    if (this.#isRest && named.size === 1) this.#inquiry.density.refused();
    this.#isRest = true;
    return group.filter((change) => !named.has(change));
  }

  /** Finds one that is refused of a group in which there is one. @returns who is left of it. */
  async #search(group: readonly Outgoing[]): Promise<readonly Outgoing[]> {
    let known = group;
    let rest: readonly Outgoing[] = [];
    for (;;) {
      const [half = [], others = []] = chunk(known, Math.ceil(known.length / 2));
      const told = await this.#inquiry.call(half);
      if (told === null) return [...others, ...rest];
      if (told.kind === 'settled') {
        const { isTaken } = await this.#took(told.results);
        // All else of a refused group was taken: asking about the whole rest tells nothing.
        known = others;
        if (!isTaken || known.length === 0) return [...others, ...rest];
        continue;
      }
      rest = [...others, ...rest];
      known = half;
      if (told.kind === 'too-large') {
        this.#most = Math.ceil(half.length / 2);
        return [...half, ...rest];
      }
      if (told.named.size > 0) return [...this.#without(told.named, half), ...rest];
    }
  }
}

/** Intercepted one after the other, and nobody got through: it is not what they hold. */
const MOST_INTERCEPTED = 3;

function wasIntercepted(sent: Sent): boolean {
  return sent.kind === 'failed' && sent.error.code === INTERCEPTED;
}
