import { stringify } from 'yaml';
import type { Sql } from '../../db/connection/database.ts';
import { loadMirrorTables } from '../../db/mirror/load.ts';
import { readExtraFields } from '../../db/mirror/met-fields.ts';
import type { Config } from '../config/config.ts';
import type { Check } from './check.ts';

/**
 * Fields that records have and no column holds, of objects whose columns are declared: by name, with
 * the YAML that would declare them. No value is told.
 */
export async function checkDeclared(
  db: Sql,
  { crm }: Pick<Config, 'crm'>,
): Promise<readonly Check[]> {
  const declare = (await crm.objects?.())?.declare;
  if (declare === undefined) return [];
  const checks: Check[] = [];
  for (const table of await loadMirrorTables(db)) {
    const met = await readExtraFields(db, table);
    const entry = Object.keys(met).length === 0 ? null : declare(table.object, met);
    if (entry === null) continue;
    const yaml = stringify(
      { objects: { [table.object]: entry } },
      { collectionStyle: 'flow', lineWidth: 0 },
    ).trim();
    checks.push({
      name: 'undeclared',
      state: 'warn',
      detail: `${table.object}: ${Object.keys(met).join(', ')} stand in _extra, for nobody has declared them`,
      hint: `add to the file that CLARIFY_SYNC_CONFIG names: ${yaml}`,
    });
  }
  return checks;
}
