import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { createMetrics } from '../../../src/http/metrics.ts';

const read = (path: string) =>
  readFileSync(new URL(`../../../docs/${path}`, import.meta.url), 'utf8');
const named = (text: string) => new Set(text.match(/\bclarify_sync_[a-z_]+/g));

/** Every metric there is, asked of a process whose database is away. */
async function known(): Promise<ReadonlySet<string>> {
  const away = () => Promise.reject(new Error('away'));
  const text = await createMetrics({ fleet: true, crm: 'its CRM' }).render([
    {
      name: 'acme',
      state: { kind: 'leading' },
      version: '0.0.0',
      leads: () => true,
      endpoints: () => [],
      standing: away,
      beside: away,
      conflictsAfter: away,
    },
  ]);
  expect(text).toContain('clarify_sync_database_up{workspace="acme"} 0');
  return new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name));
}

it('docs/metrics.md names every metric, and no other', async () => {
  expect(named(read('metrics.md'))).toEqual(await known());
});

it.each(['alerts.yml', 'grafana.json'])(
  'docs/%s asks for nothing that does not exist',
  async (path) => {
    const text = read(path);
    expect(() => parse(text)).not.toThrow();
    const metrics = await known();
    const unknown = [...named(text)].filter(
      (name) => !metrics.has(name.replace(/_(bucket|sum|count)$/, '')),
    );
    expect(named(text).size).toBeGreaterThan(5);
    expect(unknown).toEqual([]);
  },
);
