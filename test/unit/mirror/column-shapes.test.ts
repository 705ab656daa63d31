import { expect, test } from 'vitest';
import { columnDdl } from '../../../src/db/mirror/ddl.ts';
import { NUMBER_TYPES } from '../../../src/db/mirror/number-type.ts';
import { columnShapes, mirrorTable } from '../../../src/db/mirror/table.ts';
import { field, objectOf, personName, referenceTo } from './schemas.ts';

test('what stands is compared with what the definition would make', () => {
  const numbers = NUMBER_TYPES.map((type) => field(`as ${type}`, 'number'));
  const kinds = (['text', 'boolean', 'date', 'timestamp', 'texts', 'json'] as const).map((kind) =>
    field(`a ${kind}`, kind),
  );
  const fields = [...numbers, ...kinds, personName, referenceTo('owner_id', 'person')];
  const table = mirrorTable(objectOf('deal', fields), {
    table: 'deal',
    given: new Map(),
    foreign: new Set(),
    numberTypes: new Map(NUMBER_TYPES.map((type) => [`as ${type}`, type])),
  });
  const defined = columnDdl(table.drizzle).map(({ name, type, generated }) => [
    name,
    { type, generated },
  ]);
  expect([...columnShapes(table)]).toEqual(defined);
});
