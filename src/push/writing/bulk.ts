import type { ObjectSchema } from '../../domain/schema.ts';
import type { Outgoing } from '../outgoing.ts';
import { AtOnce } from './at-once.ts';
import { batchesOf, chunk } from './batches.ts';
import { Inquiry } from './inquiry.ts';
import { Isolation } from './isolation.ts';
import { inLanes } from './moving-values.ts';
import type { Sending, SendOptions } from './sending.ts';

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
  const line = new AtOnce();
  const inquiry = new Inquiry(deps, schema, changes, { ...options, isStopped: () => line.stopped });
  const { alike, suspects, alone } = inquiry;

  const inOrder = (some: readonly Outgoing[]): readonly Outgoing[] => {
    const among = new Set(some);
    return changes.filter((change) => among.has(change));
  };
  const batchesNow = (some: readonly Outgoing[], passOver?: (change: Outgoing) => boolean) =>
    batchesOf(some, () => deps.remote.limits.batchSizeOf(schema.object), passOver);
  const isSetApart = (change: Outgoing) => inquiry.isSetApart(change);

  await line.each(batchesNow(changes, isSetApart), (batch) =>
    new Isolation(inquiry, batch, isSetApart).run(),
  );
  await line.each(batchesNow(inOrder(alike)), (batch) =>
    new Isolation(inquiry, batch, () => false).run(),
  );
  await line.each(batchesNow(inOrder(suspects)), (batch) => confirm(inquiry, batch));
  const lanes = [...inLanes(schema, inOrder(alone))];
  await line.each(
    () => lanes.shift(),
    async (lane) => {
      for (const { change } of lane) {
        const told = await inquiry.call([change]);
        if (told?.kind === 'settled') await inquiry.settle(told.results);
      }
    },
  );
}

/** Asks about those that were named, and nobody else: once, and once more in parts. */
async function confirm(
  inquiry: Inquiry,
  group: readonly Outgoing[],
  isPart = false,
): Promise<void> {
  const isWorthIt = group.length > 1 && inquiry.mayNameAll;
  const told = isWorthIt ? await inquiry.call(group) : undefined;
  if (told === null) return;
  if (told?.kind === 'settled') {
    await inquiry.conclude(told.results);
  } else if (told?.kind === 'too-large') {
    const halves = chunk(group, Math.ceil(group.length / 2));
    for (const half of halves) await confirm(inquiry, half, isPart);
  } else if (told?.named.size === group.length) {
    inquiry.alone.push(...(await inquiry.blame(told.named)));
  } else if (told !== undefined && told.named.size > 1 && !isPart) {
    // It names so many at most.
    for (const part of chunk(group, told.named.size)) await confirm(inquiry, part, true);
  } else {
    inquiry.alone.push(...group);
  }
}
