import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Session } from '../../src/app/session.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { readLinkedPage } from '../../src/conflicts/link-pages.ts';
import type { RemoteRecord } from '../../src/domain/record.ts';
import { readWhole } from '../../src/pull/read-whole.ts';
import { openBrevo } from '../support/brevo.ts';
import { openKizen } from '../support/kizen-workspace.ts';

// Of lists that have positions alone, records that came before are not read either, and a round over
// them proves as much, in as many requests.

const signal = new AbortController().signal;

interface Case {
  readonly name: string;
  readonly objects: readonly string[];
  readonly open: () => Promise<{
    readonly session: Session;
    edit(object: string, id: string): void;
    sql(text: string): Promise<Record<string, unknown>[]>;
    stop(): Promise<void>;
  }>;
}

const SIZE = 90;

const CASES: readonly Case[] = [
  {
    name: 'kizen',
    objects: ['client_client', 'companies'],
    async open() {
      const sizes = { companies: SIZE, client_client: SIZE, deals: 5, projects: 3 };
      const workspace = await openKizen({ sizes, switches: { pageMax: 20 } });
      const { session, sql, stop, emulator } = workspace;
      const edit = (object: string, id: string) =>
        emulator.store.update(
          object,
          id,
          object === 'companies' ? { name: 'Edited' } : { first_name: 'Edited' },
        );
      return { session, sql, stop, edit };
    },
  },
  {
    name: 'brevo',
    objects: ['contacts', 'companies', 'deals'],
    async open() {
      const sizes = { contacts: SIZE, companies: SIZE, deals: SIZE, vehicle: 5, trip: 3 };
      const brevo = await openBrevo({ sizes, switches: { contactsPageMax: 50, crmPageMax: 20 } });
      const { session, sql, emulator } = brevo;
      const edit = (object: string, id: string) => {
        const attributes =
          object === 'contacts'
            ? { FIRSTNAME: 'Edited' }
            : object === 'deals'
              ? { deal_name: 'Edited' }
              : { name: 'Edited' };
        emulator.store.update(object, id, attributes);
      };
      return { session, sql, edit, stop: () => brevo.stop() };
    },
  },
];

describe.each(CASES)('$name', ({ name, objects, open }) => {
  let opened: Awaited<ReturnType<Case['open']>>;

  beforeAll(async () => {
    opened = await open();
    await syncOnce(opened.session, { signal });
  });
  afterAll(() => opened.stop());

  function tableOf(object: string) {
    const table = opened.session.tables.find((one) => one.object === object);
    if (table === undefined) throw new Error(`no ${object}`);
    return table;
  }

  async function round(object: string) {
    const { state, reason, counts } = await readWhole(opened.session, tableOf(object), {
      signal,
      priority: 'pull',
    });
    const { requests, read, updated } = counts;
    return { state, reason, requests, read, updated };
  }

  /** Those of one page, once it is known how long one may be. */
  async function unrecognised(object: string): Promise<string[]> {
    const limit = opened.session.remote.limits.pageSize;
    const request = { orderBy: 'position', direction: 'asc', offset: 0, limit } as const;
    const how = { depth: 'all', recognises: true, signal, priority: 'pull' } as const;
    const { records } = await readLinkedPage(opened.session, tableOf(object), request, how);
    return records.flatMap(({ id, isUnchanged }: RemoteRecord) => (isUnchanged ? [] : [id]));
  }

  test.each(objects)(
    'a round over %s takes as many requests, whoever is recognised',
    async (object) => {
      await opened.sql(`DELETE FROM ${name}_sync.record_digest`);
      const unknown = await round(object);
      expect(unknown).toMatchObject({ state: 'ok', updated: 0 });
      expect(await unrecognised(object)).toEqual([]);
      expect(await round(object)).toEqual(unknown);
      // Some of them known, and some read: whoever is on two pages has not moved between them.
      await opened.sql(`DELETE FROM ${name}_sync.record_digest WHERE md5(id) < '8'`);
      expect(await round(object)).toEqual(unknown);
    },
  );

  test('what is written with every page is written as it is', async () => {
    const rows = await opened.sql(
      `SELECT attname AS name FROM pg_attribute
        WHERE attrelid IN ('${name}_sync.sweep'::regclass, '${name}_sync.scan_page'::regclass)
          AND attname IN ('ids', 'position') AND attstorage = 'e' ORDER BY 1`,
    );
    expect(rows).toEqual([{ name: 'ids' }, { name: 'position' }]);
  });

  test.each(objects)(
    'of %s who was edited on either side is read, and nobody else',
    async (object) => {
      await round(object);
      const [first, second] = (
        await opened.sql(`SELECT id FROM ${name}.${object} ORDER BY _created_at, id LIMIT 2`)
      ).map(({ id }) => String(id));
      if (first === undefined || second === undefined) throw new Error('nobody');
      opened.edit(object, first);
      await opened.session.db.transaction(
        (tx) =>
          tx.query(`UPDATE {mirror}.${object} SET _created_by = 'Nobody' WHERE id = $1`, [second]),
        { asWriter: true },
      );
      expect((await unrecognised(object)).toSorted()).toEqual([first, second].toSorted());
      expect(await round(object)).toMatchObject({ state: 'ok' });
      const [row] = await opened.sql(
        `SELECT to_jsonb(t)::text AS row FROM ${name}.${object} AS t WHERE id = '${first}'`,
      );
      expect(row?.['row']).toContain('Edited');
    },
  );
});
