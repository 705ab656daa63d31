import { expect, test } from 'vitest';
import type { Outgoing } from '../../../src/push/outgoing.ts';
import type { Sent } from '../../../src/push/sent.ts';
import { createSettling } from '../../../src/push/settling.ts';

const identity = { identity: null, matchOn: null, mayHaveArrived: false } as const;
function sent(count: number, from = 0): readonly Sent[] {
  return Array.from({ length: count }, (_, index) => {
    const recordId = String(from + index);
    const rest = { entries: [], fields: {}, changes: {}, attempts: 1, ...identity };
    const change: Outgoing = { kind: 'update', recordId, ...rest };
    return { kind: 'delivered', change, record: null };
  });
}
const idsOf = (some: readonly Sent[]) => some.map(({ change }) => Number(change.recordId));

/** Writes one part at a time, each once it is let go on. */
function gated() {
  const parts: (readonly Sent[])[] = [];
  let goOn: (() => void)[] = [];
  const settling = createSettling(async (part) => {
    parts.push(part);
    await new Promise<void>((resolve) => goOn.push(resolve));
  });
  const letGo = async () => {
    const waiting = goOn;
    goOn = [];
    for (const resolve of waiting) resolve();
    await new Promise(setImmediate);
  };
  return { settling, parts, letGo };
}

test('what comes while something is written goes into the next, in order, and nobody waits', async () => {
  const { settling, parts, letGo } = gated();
  for (const from of [0, 100, 200]) await settling.report(sent(100, from));
  expect(parts.map(({ length }) => length)).toEqual([100]);
  const drained = settling.drained();
  await letGo();
  expect(parts.map(({ length }) => length)).toEqual([100, 200]);
  await letGo();
  await drained;
  expect(parts.flatMap(idsOf)).toEqual(idsOf(sent(300)));
});

test('whoever sends waits once too much is left to be written down', async () => {
  const { settling, letGo } = gated();
  let went = 0;
  const sending = (async () => {
    for (; went < 12; went += 1) await settling.report(sent(500, went * 500));
  })();
  await new Promise(setImmediate);
  expect(went).toBeLessThan(12);
  for (let part = 0; part < 12; part += 1) await letGo();
  await sending;
  expect(went).toBe(12);
});

test('what keeps results from being written down ends the sending, and is told at the end', async () => {
  const lost = new Error('the lease is lost');
  const settling = createSettling(async () => {
    throw lost;
  });
  await settling.report(sent(1)).catch(() => undefined);
  await new Promise(setImmediate);
  await expect(settling.report(sent(1, 1))).rejects.toBe(lost);
  await expect(settling.drained()).rejects.toBe(lost);
});

test('nothing to write down is no wait', async () => {
  const { settling, parts } = gated();
  await settling.report([]);
  await settling.drained();
  expect(parts).toEqual([]);
});
