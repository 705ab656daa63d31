import type { Capabilities, ChangeReading, Creating, DeletionReading } from './capabilities.ts';

/**
 * What is promised of an object less than of one whose CRM tells everything: as sentences to follow
 * its name, none where it is nothing. Whoever relies on the rows has to know.
 */
export function weakerPromises(can: Capabilities): readonly string[] {
  return [
    ofChanges(can.changes),
    ofDeletions(can.deletions),
    ofTimes(can.fieldTimes),
    ofCreates(can.creating),
    ofWrites(can.writing),
    ofRemovals(can.removal),
  ].filter((promise) => promise !== null);
}

function ofChanges({ kind }: ChangeReading): string | null {
  return kind === 'full-scan'
    ? 'a change is found when everything has been read again, not within a minute'
    : null;
}

function ofDeletions(deletions: DeletionReading): string | null {
  if (deletions.kind === 'feed') return null;
  return deletions.proof === 'scan'
    ? 'a deletion is believed once everything was read twice without the record'
    : 'a deletion is found when everything has been read again';
}

function ofTimes(times: Capabilities['fieldTimes']): string | null {
  return times === 'none'
    ? '`newest` goes by the last edit of the whole record, and is not certain'
    : null;
}

function ofCreates({ kind }: Creating): string | null {
  return kind === 'created-since'
    ? 'a create whose answer was lost is known by what was sent, and waits for a person where several fit'
    : null;
}

function ofWrites({ kind }: Capabilities['writing']): string | null {
  return kind === 'job' ? 'a write is done once its record shows it, minutes later' : null;
}

function ofRemovals(removal: Capabilities['removal']): string | null {
  if (removal === 'delete') return null;
  return removal === 'archive'
    ? 'a deleted row archives its record, and only somebody in the app brings it back'
    : 'a deleted row archives its record';
}
