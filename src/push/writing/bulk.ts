import type { RemoteError } from '../../domain/errors.ts';
import { stringifyJson } from '../../domain/json.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import type { Outgoing } from '../outgoing.ts';
import type { Sent } from '../sent.ts';
import { batchesOf, chunk } from './batches.ts';
import { notStarted } from './call.ts';
import { createDensity } from './density.ts';
import { createHearsay } from './hearsay.ts';
import { givenBy, inLanes } from './moving-values.ts';
import { ask, isItsOwn, type Told } from './refusal.ts';
import { askedAgain, type Sending, type SendOptions } from './sending.ts';

/**
 * Sends changes of one kind to one object in bulk and isolates what the CRM refuses. Bulk calls are
 * atomic, so that a refused one says of nobody that he is taken, and for certain only of one that was
 * alone that he is not (invariant 10); of all where it names all of them, and says of each what it says of
 * him alone. Those that are named go last, together, after those that hold a value that another was refused
 * for; where nobody is named, one is looked for by halving. Reports each change as soon as its fate is
 * known.
 *
 * @throws RemoteError with disposition `halt`, or what `report` throws, once nothing is under way
 *   any more; changes not reported by then were not sent, or their fate is unknown.
 */
export async function sendInBulk(
  deps: Sending,
  schema: ObjectSchema,
  changes: readonly Outgoing[],
  options: SendOptions,
): Promise<void> {
  const { remote, mayStart } = deps;
  const { report, ...callOptions } = options;
  const line = atOnce();
  const attempts = askedAgain(() => !line.stopped && mayStart(), callOptions);
  const density = createDensity();
  const open = new Set(changes);
  const givers = givenBy(schema, changes);
  /** What was refused for a field's value, and those that hold the same: they spoil no batch of others. */
  const causes = new Set<string>();
  const alike: Outgoing[] = [];
  /** Named among others; what they clash with may have been among those, and come before them. */
  const suspects: Outgoing[] = [];
  /** Of whom only a call of his own tells. */
  const alone: Outgoing[] = [];
  /** Whether the server may name all that it refuses: it named several, or nobody else was to blame. */
  let mayNameAll = false;

  const learn = (change: Outgoing, error: RemoteError): void => {
    const cause = isItsOwn(schema, change, error) ? causeOf(change, error.field) : null;
    if (cause !== null) causes.add(cause);
  };
  /** Whether it holds what another was refused for, and is set apart. */
  const isSetApart = (change: Outgoing): boolean => {
    if (causes.size === 0) return false;
    const isAlike = Object.entries(change.fields).some((said) => causes.has(stringifyJson(said)));
    if (isAlike) alike.push(change);
    return isAlike;
  };

  const settle = async (results: readonly Sent[]): Promise<void> => {
    for (const one of results) {
      open.delete(one.change);
      if (one.kind === 'refused') learn(one.change, one.error);
    }
    if (results.length > 0) await report(results);
  };
  /** @returns null where nothing may be sent any more, and what was to be is settled. */
  const call = async (batch: readonly Outgoing[]): Promise<Told | null> => {
    if (line.stopped) return null;
    if (!mayStart()) {
      await settle(batch.map((change) => ({ kind: 'failed', change, error: notStarted() })));
      return null;
    }
    const told = await ask(deps, schema, batch, attempts);
    if (told.kind !== 'refused') return told;
    const named = [...told.named].filter((one) => !hearsay.isDenied(...one));
    if (named.length > 1) mayNameAll = true;
    return { kind: 'refused', named: new Map(named) };
  };
  const suspect = (named: ReadonlyMap<Outgoing, RemoteError>): void => {
    for (const [change, error] of named) {
      learn(change, error);
      (isItsOwn(schema, change, error) ? suspects : alone).push(change);
    }
  };
  /** One may be refused a value that another, who goes at the same time, is about to give up. */
  const conclude = async (results: readonly Sent[]): Promise<void> => {
    const isEarly = ({ kind, change }: Sent) =>
      kind === 'refused' && givers(change).some((giver) => giver !== change && open.has(giver));
    const early = results.filter(isEarly);
    alone.push(...early.map(({ change }) => change));
    density.took(results.filter(({ kind }) => kind === 'delivered').length);
    if (results.some(isRefusal)) density.refused();
    await settle(early.length === 0 ? results : results.filter((one) => !isEarly(one)));
  };
  const asked = new Set<Outgoing>();
  const hearsay = createHearsay(async (change) => {
    asked.add(change);
    const told = await call([change]);
    if (told?.kind !== 'settled') return null;
    await conclude(told.results);
    return told.results[0] ?? null;
  });
  /**
   * Where a refused call names everybody, nobody can be named in another's place.
   *
   * @returns those of whom it told nothing.
   */
  const blame = async (named: ReadonlyMap<Outgoing, RemoteError>): Promise<readonly Outgoing[]> => {
    const own = [...named].filter((one) => isItsOwn(schema, ...one));
    const others = [...named].filter((one) => !isItsOwn(schema, ...one));
    alone.push(...others.map(([change]) => change));
    const believed = await hearsay.believe(own);
    const rest = own.filter(([change]) => !asked.has(change));
    await settle(
      rest.flatMap(([change, error]) =>
        believed.has(change) ? [{ kind: 'refused', change, error }] : [],
      ),
    );
    return rest.flatMap(([change]) => (believed.has(change) ? [] : [change]));
  };

  const isolate = async (batch: readonly Outgoing[], passOver = isSetApart): Promise<void> => {
    let left = batch;
    let most = batch.length;
    let size = density.isHigh ? 1 : most;
    /** Taken since one was refused. */
    let run = 0;
    let isRest = false;
    const took = async (results: readonly Sent[]) => {
      await conclude(results);
      const delivered = results.filter(({ kind }) => kind === 'delivered').length;
      run += delivered;
      return { isTaken: delivered === results.length, isRefused: results.some(isRefusal) };
    };
    const startAnew = (next: number): void => {
      size = density.isHigh ? 1 : Math.max(1, next);
      run = 0;
    };
    /** Splits off what is named. @returns who is left of the group. */
    const without = (named: ReadonlyMap<Outgoing, RemoteError>, group: readonly Outgoing[]) => {
      suspect(named);
      // Named one at a time, and again and again, most of them will be.
      if (isRest && named.size === 1) density.refused();
      isRest = true;
      return group.filter((change) => !named.has(change));
    };
    /** Finds one that is refused of a group in which there is one. @returns who is left of it. */
    const search = async (group: readonly Outgoing[]): Promise<readonly Outgoing[]> => {
      let known = group;
      let rest: readonly Outgoing[] = [];
      for (;;) {
        const [half = [], others = []] = chunk(known, Math.ceil(known.length / 2));
        const told = await call(half);
        if (told === null) return [...others, ...rest];
        if (told.kind === 'settled') {
          const { isTaken } = await took(told.results);
          // All else of a refused group was taken: asking about the whole rest tells nothing.
          known = others;
          if (!isTaken || known.length === 0) return [...others, ...rest];
          continue;
        }
        rest = [...others, ...rest];
        known = half;
        if (told.kind === 'too-large') {
          most = Math.ceil(half.length / 2);
          return [...half, ...rest];
        }
        if (told.named.size > 0) return [...without(told.named, half), ...rest];
      }
    };
    while (left.length > 0) {
      const group = left.slice(0, Math.min(size, most));
      left = left.slice(group.length);
      const told = await call(group);
      if (told === null) {
        if (line.stopped) return;
        continue;
      }
      switch (told.kind) {
        case 'settled': {
          const { isTaken, isRefused } = await took(told.results);
          if (isRest && isTaken) mayNameAll = true;
          isRest &&= !isTaken;
          if (isRefused) startAnew(run);
          else if (isTaken) size = density.isHigh ? 1 : size * 2;
          break;
        }
        case 'too-large':
          most = Math.ceil(group.length / 2);
          left = [...group, ...left];
          break;
        case 'refused':
          if (told.named.size === group.length) {
            left = [...(await blame(told.named)), ...left];
            if (density.isHigh) size = 1;
          } else if (told.named.size > 0) {
            const rest = [...without(told.named, group), ...left];
            left = rest.filter((change) => !passOver(change));
            if (density.isHigh) size = 1;
          } else {
            left = [...(await search(group)), ...left];
            startAnew(run + 1);
          }
      }
    }
  };

  /** Asks about those that were named, and nobody else: once, and once more in parts. */
  const confirm = async (group: readonly Outgoing[], isPart = false): Promise<void> => {
    const told = group.length > 1 && mayNameAll ? await call(group) : undefined;
    if (told === null) return;
    if (told?.kind === 'settled') {
      await conclude(told.results);
    } else if (told?.kind === 'too-large') {
      for (const half of chunk(group, Math.ceil(group.length / 2))) await confirm(half, isPart);
    } else if (told?.named.size === group.length) {
      alone.push(...(await blame(told.named)));
    } else if (told !== undefined && told.named.size > 1 && !isPart) {
      // It names so many at most.
      for (const part of chunk(group, told.named.size)) await confirm(part, true);
    } else {
      alone.push(...group);
    }
  };

  const inOrder = (some: readonly Outgoing[]): readonly Outgoing[] => {
    const among = new Set(some);
    return changes.filter((change) => among.has(change));
  };
  const batchesNow = (some: readonly Outgoing[], passOver?: (change: Outgoing) => boolean) =>
    batchesOf(some, () => remote.limits.batchSizeOf(schema.object), passOver);
  await line.each(batchesNow(changes, isSetApart), (batch) => isolate(batch));
  await line.each(batchesNow(inOrder(alike)), (batch) => isolate(batch, () => false));
  await line.each(batchesNow(inOrder(suspects)), (batch) => confirm(batch));
  const lanes = [...inLanes(schema, inOrder(alone))];
  await line.each(
    () => lanes.shift(),
    async (lane) => {
      for (const { change } of lane) {
        const told = await call([change]);
        if (told?.kind === 'settled') await settle(told.results);
      }
    },
  );
}

function isRefusal({ kind }: Sent): boolean {
  return kind === 'refused' || kind === 'gone';
}

function causeOf({ fields }: Outgoing, field: string | undefined): string | null {
  if (field === undefined || !Object.hasOwn(fields, field)) return null;
  return stringifyJson([field, fields[field] ?? null]);
}

/** Bulk writes under way at once; the client's allowance decides how fast they go. */
const WORKERS = 4;

/** Works on several at once, until one fails. */
function atOnce() {
  let stopped = false;
  return {
    get stopped() {
      return stopped;
    },
    /** @throws what the first that failed threw, once none is at work any more. */
    async each<T>(next: () => T | undefined, work: (item: T) => Promise<void>): Promise<void> {
      const worker = async (): Promise<void> => {
        try {
          const unlessStopped = () => (stopped ? undefined : next());
          for (let item = unlessStopped(); item !== undefined; item = unlessStopped()) {
            await work(item);
          }
        } catch (error) {
          stopped = true;
          throw error;
        }
      };
      const workers = Array.from({ length: WORKERS }, worker);
      const failed = (await Promise.allSettled(workers)).find((one) => one.status === 'rejected');
      if (failed?.status === 'rejected') throw failed.reason;
    },
  };
}
