import { expect, test } from 'vitest';
import { knownObjects } from '../../../src/cli/object-names.ts';
import { SyncError, UsageError } from '../../../src/domain/errors.ts';

const mirrored = [{ object: 'person' }, { object: 'company' }];

test('none given means all; a name given twice counts once', () => {
  expect(knownObjects([], mirrored)).toBeUndefined();
  expect(knownObjects(['company', 'company'], mirrored)).toEqual(['company']);
});

test('an unknown name lists the known ones', () => {
  const attempt = () => knownObjects(['people', 'person', 'x'], mirrored);
  expect(attempt).toThrow(UsageError);
  expect(attempt).toThrow('no object is called people; no object is called x');
  try {
    attempt();
  } catch (error) {
    expect(error).toMatchObject({ hint: 'known objects: company, person' });
  }
});

test('of one that is there and not mirrored it is said why', () => {
  const error = new SyncError('deal: its fields are not told', {
    code: 'remote-forbidden',
    disposition: 'park',
  });
  const problems = [{ object: 'deal', error }];
  expect(() => knownObjects(['deal', 'person'], mirrored, problems)).toThrow(error);
  expect(knownObjects(['person'], mirrored, problems)).toEqual(['person']);
});
