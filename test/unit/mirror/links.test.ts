import { expect, test } from 'vitest';
import { linkTables } from '../../../src/db/mirror/links.ts';
import { field, manyToMany, objectOf } from './schemas.ts';

const shape = (...schemas: Parameters<typeof linkTables>[0]) =>
  linkTables(schemas).map(({ name, sides }) => [name, ...sides.map(({ column }) => column)]);

test('a pair is named after its alphabetically first object, whichever end is read first', () => {
  const deal = objectOf('deal', [manyToMany('people', 'person', 'deals')]);
  const person = objectOf('person', [manyToMany('deals', 'deal', 'people')]);
  const expected = [['deal_people', 'deal_id', 'person_id']];
  expect(shape(deal, person)).toEqual(expected);
  expect(shape(person, deal)).toEqual(expected);
  expect(shape(person)).toEqual(expected);
});

test('an object linked with itself has related_id at the other end', () => {
  const one = objectOf('person', [manyToMany('friends', 'person', 'friends')]);
  expect(shape(one)).toEqual([['person_friends', 'person_id', 'related_id']]);
  const two = objectOf('person', [
    manyToMany('managers', 'person', 'aides'),
    manyToMany('aides', 'person', 'managers'),
  ]);
  expect(shape(two)).toEqual([['person_aides', 'person_id', 'related_id']]);
});

test('two pairs of the same objects are two tables; one-to-many is none', () => {
  const deal = objectOf('deal', [
    manyToMany('people', 'person', 'deals'),
    manyToMany('fans', 'person', 'likes'),
    field('tasks', 'references', {
      relationship: { kind: 'one-to-many', object: 'task', field: 'deal_id' },
    }),
  ]);
  expect(shape(deal).map(([name]) => name)).toEqual(['deal_fans', 'deal_people']);
});

test('an end without a name leaves the naming to the other', () => {
  const person = objectOf('person', [manyToMany('deals', 'deal', null)]);
  expect(shape(person)).toEqual([['person_deals', 'deal_id', 'person_id']]);
});

test('a name that is taken or too long is hashed', () => {
  const deal = objectOf('deal', [
    manyToMany('people', 'person', 'deals'),
    manyToMany('p'.repeat(60), 'q'.repeat(62), null),
  ]);
  const [plain, long] = linkTables([deal], (name) => name === 'deal_people');
  expect(plain?.name).toMatch(/^deal_people_[0-9a-f]{8}$/);
  expect(long?.name).toMatch(/^deal_p{49}_[0-9a-f]{8}$/);
  expect(long?.sides[1].column).toMatch(/^q{54}_[0-9a-f]{8}$/);
});
