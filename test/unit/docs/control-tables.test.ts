import { getTableColumns, getTableName, isTable } from 'drizzle-orm';
import { expect, test } from 'vitest';
import * as controlChanges from '../../../src/db/control/control-changes.ts';
import * as controlScan from '../../../src/db/control/control-scan.ts';
import * as controlSchema from '../../../src/db/control/control-schema.ts';
import * as controlSide from '../../../src/db/control/control-side.ts';
import { byName, firstColumn, readPage, readSources } from './page.ts';

const page = readPage('control-tables.md');
const described = page.slice(page.indexOf('\n## The tables'));

/** Made by the migrator itself, before there is a schema to define it in. */
const LEDGER = { name: 'migration', columns: ['id', 'hash', 'created_at', 'applied_at'] };

const tables = Object.values<unknown>({
  ...controlSchema,
  ...controlChanges,
  ...controlSide,
  ...controlScan,
}).flatMap((value) =>
  isTable(value)
    ? [
        {
          name: getTableName(value),
          columns: Object.values(getTableColumns(value)).map(({ name }) => name),
        },
      ]
    : [],
);

/** A table's section of the page. */
function section(table: string): string {
  const [, rest = ''] = described.split(`\n### ${table}\n`);
  return rest.split('\n### ', 1)[0] ?? '';
}

test('every table has a section, and every section a table', () => {
  const sections = [...described.matchAll(/^### (\w+)$/gm)].map(([, name = '']) => name);
  const known = [...tables, LEDGER].map(({ name }) => name);
  expect(sections.toSorted(byName)).toEqual(known.toSorted(byName));
});

test.each([...tables, LEDGER])('$name has the columns that its section lists', (table) => {
  expect(firstColumn(section(table.name)).toSorted(byName)).toEqual(table.columns.toSorted(byName));
});

/** By `table` or `table.column`; of a comment that was changed later, the newest. */
function readComments(): ReadonlyMap<string, string> {
  const migrations = [...readSources('migrations', '.sql')].toSorted(([a], [b]) => byName(a, b));
  const migrator = readSources('src/db', 'migrate.ts');
  const pattern =
    /comment on (?:table|column) (?:clarify_sync|\{sync\})\.([\w.]+) is\s+'((?:[^']|'')*)'/gi;
  const found = [...migrations, ...migrator].flatMap(([, text]) => [...text.matchAll(pattern)]);
  return new Map(found.map(([, of = '', says = '']) => [of, says.replaceAll("''", "'")]));
}

test('the page says of every table and column what the database says', () => {
  const comments = readComments();
  expect(comments.size).toBeGreaterThan(100);
  const missing = [...comments].filter(([of, says]) => {
    const [table = '', column] = of.split('.');
    const line = column === undefined ? `\n${says}\n` : `\n| \`${column}\` | ${says} |\n`;
    return !section(table).includes(line);
  });
  expect(missing).toEqual([]);
  const columns = [...tables, LEDGER].flatMap(({ name, columns: own }) =>
    own.map((column) => `${name}.${column}`),
  );
  expect(columns.filter((column) => !comments.has(column))).toEqual([]);
});
