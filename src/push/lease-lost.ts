import { SyncError } from '../domain/errors.ts';

/** Another process has the right to send; ours ends here. */
export function leaseLost(): SyncError {
  return new SyncError('this process no longer leads; another one goes on with the outbox', {
    code: 'lease-lost',
    disposition: 'retry',
  });
}
