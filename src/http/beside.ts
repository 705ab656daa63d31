import { type ActivityStanding, readActivityStandings } from '../db/activities/feeds.ts';
import { OF_NO_OBJECT, readTroubles, type Trouble } from '../db/service/trouble.ts';
import { type CommentStanding, readCommentStandings } from '../db/side/comments.ts';
import { readSideStanding, type SideStanding } from '../db/side/standing.ts';
import type { StatusSource } from './status-source.ts';

/** How far everything is that is no record. */
export interface Beside {
  readonly activities: readonly ActivityStanding[];
  readonly sides: readonly SideStanding[];
  /** Comments that were written here and are not in the CRM. */
  readonly comments: readonly CommentStanding[];
  /** Of what is of no object. */
  readonly troubles: readonly Trouble[];
}

/** Of what is still asked for: a table that was switched off waits for nobody. */
export async function readBeside({
  db,
  readsBeside,
}: Pick<StatusSource, 'db' | 'readsBeside'>): Promise<Beside> {
  // One after the other: the connections are there for the work.
  const activities = await readActivityStandings(db);
  const sides = await readSideStanding(db);
  const comments = await readCommentStandings(db);
  const troubles = await readTroubles(db);
  return {
    activities: activities.filter(({ isKept }) => isKept),
    sides: sides.filter(({ part, object }) => readsBeside(part, object)),
    comments,
    troubles: troubles.filter(({ part }) => OF_NO_OBJECT.includes(part)),
  };
}
