import { type MirrorTable, regclassSql } from './table.ts';

/**
 * An SQL condition: triggers of others see a row before it is written, so that they may change it
 * or leave it out. Index of `pg_trigger`; no lock.
 */
export function hasAlteringTriggers({ name }: MirrorTable): string {
  return `EXISTS (SELECT FROM pg_trigger AS g JOIN pg_proc AS p ON p.oid = g.tgfoid
                   WHERE g.tgrelid = ${regclassSql(name)} AND NOT g.tgisinternal
                     AND g.tgenabled <> 'D' AND g.tgtype & 3 = 3
                     AND p.pronamespace <> '{sync}'::regnamespace)`;
}
