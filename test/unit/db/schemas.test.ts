import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromTemplate } from '../../../src/db/connection/template.ts';
import {
  checkSchemaName,
  renderSql,
  schemasOf,
  TEMPLATE,
  verbatim,
} from '../../../src/db/control/schemas.ts';
import { quoteIdent, quoteLiteral } from '../../../src/domain/names.ts';

const acme = schemasOf('acme', 'Sample');

test('a statement is sent under the names of its workspace', () => {
  expect(renderSql(`SELECT FROM {sync}.outbox, "{mirror}".deal, {history}.deal`, acme)).toBe(
    `SELECT FROM acme_sync.outbox, "acme".deal, acme_history.deal`,
  );
  expect(renderSql('{sync}_outbox {mirror}_capture_insert {sync}.writer', acme)).toBe(
    'acme_sync_outbox acme_capture_insert acme_sync.writer',
  );
  expect(renderSql(`'{}' '{"sync": 1}' {syncs} { sync }`, acme)).toBe(
    `'{}' '{"sync": 1}' {syncs} { sync }`,
  );
  expect(renderSql(verbatim('GRANT SELECT ON "{sync}" TO "{mirror}"'), acme)).toContain(
    '"{sync}" TO "{mirror}"',
  );
});

test('a name longer than Postgres takes is cut, and no two are one', () => {
  const long = schemasOf('x'.repeat(55));
  const names = ['outbox', 'nudge'].map((what) => renderSql(`{sync}_${what}`, long));
  expect(names.every((name) => name.length <= 63)).toBe(true);
  expect(new Set(names).size).toBe(2);
});

test('no text of a user is taken for a name of ours', () => {
  const parts = fc.constantFrom(
    '{sync}',
    '{mirror}',
    '{history}',
    '{',
    '}',
    'sync',
    '_a',
    '"',
    "'",
    '\\',
    ' ',
    'é',
  );
  const texts = fc.array(parts, { maxLength: 8 }).map((some) => some.join(''));
  fc.assert(
    fc.property(texts, texts, (one, other) => {
      const statement = `SELECT ${quoteIdent(one)} AS ${quoteIdent(other)} FROM ${quoteLiteral(one)}, ${quoteLiteral(other)}`;
      expect(renderSql(statement, acme)).toBe(statement);
    }),
  );
});

test('migrations read as written in the schemas they were written for, and as told in others', () => {
  const written = `CREATE TABLE "clarify_sync"."a" (b text); SELECT set_config('clarify_sync.writer', '', true);
    format('clarify.%I', t), 'clarify', pg_notify('clarify_changes', 'clarify-sync: as Clarify does, see Clarify''s')`;
  expect(fromTemplate(written, TEMPLATE, 'clarify')).toBe(written);
  expect(
    fromTemplate(written, schemasOf('order', 'Sample'), '"order"'),
  ).toBe(`CREATE TABLE "order_sync"."a" (b text); SELECT set_config('order_sync.writer', '', true);
    format('"order".%I', t), 'order', pg_notify('order_changes', 'clarify-sync: as Sample does, see Sample''s')`);
});

test.each([
  '',
  'Acme',
  '1st',
  'a-b',
  'pg_x',
  'public',
  'information_schema',
  'a_sync',
  'a_history',
  'x'.repeat(56),
])('%j is no name for a mirror', (name) => {
  expect(checkSchemaName(name)).not.toBeNull();
});
