import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { syncOnce } from '../../src/app/sync-once.ts';
import { type BrevoFixture, openBrevo } from '../support/brevo.ts';
import { startDaemon } from '../support/daemon.ts';

// Requests that fail, get lost or answer rubbish now and then, while both sides are edited and the
// service is started anew: in the end every row is its record, and nobody is there twice.

const signal = new AbortController().signal;

vi.setConfig({ testTimeout: 240_000 });

async function fault(brevo: BrevoFixture, body: object): Promise<void> {
  const root = brevo.emulator.url.replace(/\/v3$/, '');
  await fetch(`${root}/_emulator/faults`, { method: 'POST', body: JSON.stringify(body) });
}

test('under faults of every kind both sides are equal in the end', async () => {
  const brevo = await openBrevo({
    sizes: { contacts: 40, companies: 10, deals: 10, vehicle: 20, trip: 0 },
    switches: { jobMs: 300, visibilityDelayMs: 0 },
  });
  const { emulator, sql } = brevo;
  const { store } = emulator;
  try {
    await syncOnce(brevo.session, { signal });
    for (const kind of ['reset-before-write', 'reset-after-write', 'truncated', 'malformed']) {
      await fault(brevo, { kind, probability: 0.03 });
    }
    await fault(brevo, { kind: 'status', status: 503, probability: 0.03 });
    await fault(brevo, { kind: 'html', status: 200, probability: 0.02, applied: true });
    for (let life = 0; life < 3; life += 1) {
      const daemon = await startDaemon(brevo);
      for (let step = 0; step < 12; step += 1) {
        const at = life * 12 + step;
        const contacts = store.ids('contacts');
        const contact = contacts[at % contacts.length] ?? '';
        await sql(`UPDATE brevo.contacts SET "LASTNAME" = $1 WHERE id = $2`, [`L${at}`, contact]);
        store.update('contacts', contacts[(at + 7) % contacts.length] ?? '', {
          FIRSTNAME: `F${at}`,
        });
        await sql(`INSERT INTO brevo.contacts (email, "FIRSTNAME") VALUES ($1, 'Born')`, [
          `born${at}@x.example`,
        ]);
        await sql(
          `UPDATE brevo.companies SET revenue = $1 WHERE id = (SELECT min(id) FROM brevo.companies)`,
          [at],
        );
        await sql(
          `UPDATE brevo.vehicle SET seats = $1 WHERE id = (SELECT min(id) FROM brevo.vehicle)`,
          [at],
        );
        if (step % 4 === 0) {
          await sql(`INSERT INTO brevo.vehicle (plate) VALUES ($1)`, [`V${at}`]);
          await sql(`INSERT INTO brevo.companies (name) VALUES ($1)`, [`C${at}`]);
        }
        await sleep(60);
      }
      await daemon.stop();
      await brevo.reopen();
    }
    const root = emulator.url.replace(/\/v3$/, '');
    await fetch(`${root}/_emulator/faults`, { method: 'DELETE' });
    await brevo.reopen();
    for (let round = 0; round < 12; round += 1) {
      const { left } = await syncOnce(brevo.session, { signal });
      if (left.pending + left.blocked === 0) break;
      await brevo.dueNow();
    }
    await brevo.agedRows();
    await syncOnce(brevo.session, { signal });
    const { left } = await syncOnce(brevo.session, { signal });
    const parked = await sql(
      `SELECT object, op, last_error FROM brevo_sync.outbox WHERE state IN ('parked', 'pending')`,
    );
    expect(parked).toEqual([]);
    expect(left).toMatchObject({ pending: 0, blocked: 0, openConflicts: 0 });
    expect(store.count('contacts')).toBe(40 + 36);
    expect(store.count('vehicle')).toBe(20 + 9);
    expect(store.count('companies')).toBe(10 + 9);
    for (const [object, columns] of [
      ['contacts', ['FIRSTNAME', 'LASTNAME']],
      ['companies', ['name', 'revenue']],
      ['vehicle', ['plate', 'seats']],
    ] as const) {
      const rows = await sql(`SELECT to_jsonb(t) AS row FROM brevo.${object} AS t`);
      expect(rows).toHaveLength(store.count(object));
      for (const { row } of rows) {
        const own = row as Record<string, unknown>;
        const shown = store.get(object, String(own['id']))?.['attributes'] as Record<
          string,
          unknown
        >;
        for (const column of columns) {
          expect(shown[column] ?? null, `${object} ${String(own['id'])}.${column}`).toEqual(
            own[column],
          );
        }
      }
    }
  } finally {
    await brevo.stop();
  }
});
