import { describe, expect, test } from 'vitest';
import { CAPABILITIES } from '../../../src/crm/clarify/capabilities.ts';
import { RemoteError } from '../../../src/domain/errors.ts';
import type { Remote } from '../../../src/domain/remote.ts';
import type { SentLink } from '../../../src/push/link-claim.ts';
import { sendLinks } from '../../../src/push/link-send.ts';
import { objectSchema } from '../../support/fields.ts';

const deal = objectSchema('deal', []);
const person = objectSchema('person', []);
const field = { object: deal, field: 'people', target: 'person', targetSchema: person };
const options = { priority: 'push', signal: new AbortController().signal } as const;
const change = (kind: SentLink['kind'], other: string): SentLink => {
  return { kind, other, entry: 1n, earlier: [] };
};
const fault = (status: number | null, more: { disposition?: 'retry' | 'halt' } = {}) =>
  new RemoteError('refused', {
    code: 'scripted',
    disposition: more.disposition ?? 'park',
    status,
  });

interface Script {
  /** Runs right before a write is carried out; what it throws is the answer. */
  readonly before?: (call: { readonly ids: readonly string[] }) => void;
  readonly gone?: ReadonlySet<string>;
  /** What an answer to unlinking says that was not done, or does not say that it was. */
  readonly unlinking?: 'passed over' | 'unsaid';
  /** There is a call that adds links, and what its answer comes to. */
  readonly adding?: 'told' | 'untold' | 'passed over';
}

/** One deal and its people, and who else writes to it. */
function scripted(start: readonly string[], script: Script = {}) {
  let set = new Set(start);
  const calls: string[] = [];
  const isGone = (id: string) => script.gone?.has(id) ?? false;
  const unused = () => Promise.reject(new Error('not part of this script'));
  const remote: Remote = {
    title: 'Clarify',
    discover: unused,
    capabilitiesOf: () => CAPABILITIES,
    readPage: unused,
    readDeletions: unused,
    readUsers: unused,
    readHistory: unused,
    create: unused,
    update: unused,
    delete: unused,
    readRecord: async ({ id }) => {
      calls.push(`look ${id}`);
      const system = { createdAt: null, updatedAt: null, createdBy: null, updatedBy: null };
      return isGone(id) ? null : { id, fields: {}, ...system, mergedIds: [], links: {} };
    },
    readLinks: async ({ id }) => {
      calls.push('read');
      if (isGone(id)) throw fault(404);
      return { ids: [...set], total: set.size, more: false };
    },
    setLinks: async ({ ids }) => {
      calls.push('set');
      script.before?.({ ids });
      if (ids.some(isGone)) throw fault(404);
      set = new Set(ids);
    },
    removeLinks: async ({ id, ids }) => {
      calls.push('remove');
      script.before?.({ ids });
      if (isGone(id)) throw fault(404);
      if (script.unlinking !== 'passed over') for (const other of ids) set.delete(other);
      return script.unlinking === undefined;
    },
    limits: { pageSize: 500, batchSizeOf: () => 100, writesAtOnce: 4 },
    clock: null,
  };
  const adding: Pick<Remote, 'addLinks'> = {
    addLinks: async ({ ids }) => {
      calls.push('add');
      if (ids.some(isGone)) throw fault(404);
      if (script.adding !== 'passed over') for (const id of ids) set.add(id);
      return script.adding === 'untold' ? null : [...set];
    },
  };
  const asked = script.adding === undefined ? remote : { ...remote, ...adding };
  const send = (...changes: readonly SentLink[]) =>
    sendLinks(asked, field, { recordId: 'd', changes, attempts: 1 }, options);
  return {
    send,
    calls,
    people: () => [...set].toSorted(),
    write: (edit: (people: Set<string>) => void) => edit(set),
  };
}

describe('the links of one record', () => {
  test('where one call adds links, nothing is read, and no other link touched', async () => {
    const { send, calls, people } = scripted(['a', 'b'], { adding: 'told' });
    const { results, set } = await send(change('link', 'c'), change('unlink', 'a'));
    expect(results.map(({ kind }) => kind)).toEqual(['delivered', 'delivered']);
    expect(calls).toEqual(['remove', 'add']);
    expect(people()).toEqual(['b', 'c']);
    expect([...(set ?? [])].toSorted()).toEqual(['b', 'c']);
    const untold = scripted(['a'], { adding: 'untold' });
    expect(await untold.send(change('link', 'c'))).toMatchObject({ set: null });
    const passed = scripted(['a'], { adding: 'passed over' });
    expect((await passed.send(change('link', 'c'))).results).toMatchObject([
      { kind: 'failed', error: { code: 'push-unconfirmed' } },
    ]);
  });

  test('a link costs a read, a write and a look whether it holds', async () => {
    const { send, calls, people } = scripted(['a', 'b']);
    const { results, set } = await send(change('link', 'c'), change('unlink', 'a'));
    expect(results.map(({ kind }) => kind)).toEqual(['delivered', 'delivered']);
    expect(calls).toEqual(['read', 'set', 'read']);
    expect(people()).toEqual(['b', 'c']);
    expect([...(set ?? [])].toSorted()).toEqual(['b', 'c']);
  });

  test('what is there already costs a read alone, unlinking a write alone', async () => {
    const linked = scripted(['a']);
    await linked.send(change('link', 'a'));
    expect(linked.calls).toEqual(['read']);
    const unlinked = scripted(['a', 'b']);
    await unlinked.send(change('unlink', 'a'));
    expect(unlinked.calls).toEqual(['remove']);
    expect(unlinked.people()).toEqual(['b']);
  });

  test('somebody who undoes it meanwhile is answered, and keeps what is theirs', async () => {
    let meddling = 2;
    const script = scripted(['a'], {
      before: () => {
        if (meddling === 0) return;
        meddling -= 1;
        // Right after our write comes one of somebody who had read before it.
        queueMicrotask(() =>
          script.write((people) => {
            people.delete('c');
            people.add(`x${meddling}`);
          }),
        );
      },
    });
    const { results } = await script.send(change('link', 'c'));
    expect(results.map(({ kind }) => kind)).toEqual(['delivered']);
    expect(script.people()).toEqual(['a', 'c', 'x0', 'x1']);
    expect(script.calls.filter((call) => call === 'set')).toHaveLength(3);
  });

  test('a set that never holds still is left for later, after a bounded number of writes', async () => {
    const script = scripted(['a'], {
      before: ({ ids }) => {
        queueMicrotask(() =>
          script.write((people) => {
            for (const id of ids) people.delete(id);
          }),
        );
      },
    });
    const { results } = await script.send(change('link', 'c'));
    expect(results).toMatchObject([{ kind: 'failed', error: { code: 'links-contested' } }]);
    expect(script.calls.filter((call) => call === 'set').length).toBeLessThanOrEqual(5);
  });

  test('a record that is gone takes all its changes along', async () => {
    const { send, calls } = scripted([], { gone: new Set(['d']) });
    const { results } = await send(change('link', 'a'), change('unlink', 'b'));
    expect(results).toMatchObject([
      { kind: 'gone', end: 'here' },
      { kind: 'gone', end: 'here' },
    ]);
    // A 404 of the list is not enough.
    expect(calls).toEqual(['read', 'look d']);
  });

  test('one at the other end that is gone leaves the others be', async () => {
    const { send, people } = scripted(['a'], { gone: new Set(['x']) });
    const { results } = await send(change('link', 'x'), change('link', 'b'));
    expect(results.map((one) => [one.change.other, one.kind])).toEqual([
      ['x', 'gone'],
      ['b', 'delivered'],
    ]);
    expect(people()).toEqual(['a', 'b']);
  });

  test('what is unlinked without a word is looked at, and done only where it is gone', async () => {
    const done = scripted(['a', 'b'], { unlinking: 'unsaid' });
    expect((await done.send(change('unlink', 'a'))).results).toMatchObject([{ kind: 'delivered' }]);
    expect(done.calls).toEqual(['remove', 'read']);
    const standing = scripted(['a', 'b'], { unlinking: 'passed over' });
    expect((await standing.send(change('unlink', 'a'))).results).toMatchObject([
      { kind: 'failed', error: { code: 'push-unconfirmed' } },
    ]);
  });

  test('a bad one is found, and the others are made', async () => {
    const { send, people } = scripted([], {
      before: ({ ids }) => {
        if (ids.includes('bad')) throw fault(422);
      },
    });
    const { results } = await send(change('link', 'a'), change('link', 'bad'), change('link', 'b'));
    expect(results.map(({ kind }) => kind)).toEqual(['delivered', 'refused', 'delivered']);
    expect(people()).toEqual(['a', 'b']);
  });

  test('trouble that passes is for later; a key that is revoked is for a person', async () => {
    const failing = scripted([], {
      before: () => {
        throw fault(503, { disposition: 'retry' });
      },
    });
    expect((await failing.send(change('link', 'a'))).results).toMatchObject([{ kind: 'failed' }]);
    const revoked = scripted([], {
      before: () => {
        throw fault(401, { disposition: 'halt' });
      },
    });
    await expect(revoked.send(change('link', 'a'))).rejects.toMatchObject({ status: 401 });
  });
});
