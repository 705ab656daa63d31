import { expect, test } from 'vitest';
import { failed } from '../../../src/app/doctor/check.ts';
import { SyncError } from '../../../src/domain/errors.ts';

test.each([
  ['remote-unavailable', undefined, 'look up remote-unavailable in docs/errors.md'],
  ['remote-unreachable', 'check the network', 'check the network'],
  // Its own hint names the command that was just run.
  [
    'database-permission',
    'run `clarify-sync doctor`',
    'as an administrator, grant what is named here or listed at rights',
  ],
])('a check that failed with %s says what to do', (code, given, hint) => {
  const error = new SyncError('refused', { code, disposition: 'retry', hint: given });
  expect(failed('api', error)).toEqual({
    name: 'api',
    state: 'fail',
    detail: `[${code}] refused`,
    hint,
  });
});
