import { expect, test } from 'vitest';
import { endure } from '../endurance/endure.ts';
import { createTestDatabase } from '../support/database.ts';

test('killed again and again under load, it loses nothing and does nothing twice', async () => {
  const database = await createTestDatabase();
  try {
    // As `npm run endure` does for longer; each kill takes as long as its lease lasts.
    const options = { databaseUrl: database.url, kills: 6, faultShare: 0.04, seed: 'six kills' };
    const result = await endure(options);
    expect(result).toMatchObject({ kills: 6, wrong: [], differences: [], parked: [] });
    expect(result.inserts).toBeGreaterThan(100);
    expect(result.faults).toBeGreaterThan(10);
  } finally {
    await database.drop();
  }
}, 300_000);
