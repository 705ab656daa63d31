import { killedAtHandOver, killedWhileOut } from './job-scenarios.ts';
import type { Mutation } from './mortal.ts';
import {
  circle,
  deletedSinceRead,
  editWhileBorn,
  formerLeader,
  lostAnswer,
  otherField,
  type Scenario,
} from './scenarios.ts';
import type { WritingKind } from './writing.ts';

/** A guarantee taken out of the statements that give it. */
export interface Mutant {
  readonly name: string;
  /** Needs the guarantee, and nothing else. */
  readonly scenario: Scenario;
  /** How the CRM takes changes; in bulk where left out. */
  readonly writing?: WritingKind;
  /** Pieces of statements, and what stands there instead. */
  readonly pieces: readonly (readonly [piece: string, instead: string])[];
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'a create that may have arrived is simply sent again',
    scenario: lostAnswer,
    pieces: [
      [
        `AND (op <> 'insert' OR record_id NOT LIKE 'local:%' OR sent IS NULL
             OR (sent ? 'matchOn' AND NOT sent ? 'refused'))`,
        '',
      ],
    ],
  },
  {
    name: 'a former leader settles what another one has taken over',
    scenario: formerLeader,
    pieces: [
      [
        'WHERE name = $1 AND epoch = $2 AND expires_at > clock_timestamp() FOR KEY SHARE',
        'WHERE name = $1 AND $2::bigint IS NOT NULL',
      ],
      [
        `WHERE o.id = s.id AND o.epoch = $1`,
        `WHERE o.id = s.id AND o.state <> 'done' AND $1::bigint IS NOT NULL`,
      ],
    ],
  },
  {
    name: 'edits are merged without their base',
    scenario: otherField,
    pieces: [
      [
        'SELECT o.id, o.record_id, o.op, o.state, o.changes,',
        `SELECT o.id, o.record_id, o.op, o.state, (SELECT jsonb_object_agg(key, value || '{"base": null}')
           FROM jsonb_each(o.changes)) AS changes,`,
      ],
    ],
  },
  {
    name: 'entries keep the id a record no longer has',
    scenario: editWhileBorn,
    pieces: [
      [
        `AND o.object = $1 AND o.record_id = m.old_id AND o.state IN ('pending', 'sending', 'parked')`,
        'AND false',
      ],
    ],
  },
  {
    name: 'a deletion does not outlive a page that was read before it',
    scenario: deletedSinceRead,
    pieces: [
      [
        `AND t.noticed_at >= $3::timestamptz`,
        `AND $3::text IS NULL AND t.noticed_at >= $3::timestamptz`,
      ],
    ],
  },
  {
    name: 'references keep ids that were given here',
    scenario: circle,
    pieces: [
      [
        `LIKE 'local:%'\n          AND NOT EXISTS (SELECT FROM {sync}.deferred AS d`,
        `LIKE 'nothing:%' AND NOT EXISTS (SELECT FROM {sync}.deferred AS d`,
      ],
    ],
  },
  {
    name: 'what goes out in a job is not written down before it goes',
    scenario: killedAtHandOver,
    writing: 'job',
    pieces: [['SET ticket = $2, sent = c.content', 'SET sent = c.content']],
  },
  {
    name: 'a restart sends again what is out with a job',
    scenario: killedWhileOut,
    writing: 'job',
    pieces: [
      [
        `SET state = 'pending', epoch = NULL, next_attempt_at = clock_timestamp()
      WHERE object = $1 AND state = 'sending' AND ticket IS NULL`,
        `SET state = 'pending', epoch = NULL, ticket = NULL, next_attempt_at = clock_timestamp()
      WHERE object = $1 AND state = 'sending' AND sent_at < clock_timestamp() - interval '8 seconds'`,
      ],
    ],
  },
  {
    name: 'a ticket is not stored before anybody could ask by it',
    scenario: killedWhileOut,
    writing: 'job',
    pieces: [['.outbox SET ticket = $3', '.outbox SET ticket = ticket']],
  },
  {
    name: 'what a job did is settled before it has ended and was read back',
    scenario: killedWhileOut,
    writing: 'job',
    pieces: [
      [
        `CASE WHEN bool_or(last_error LIKE 'job-completed:%') THEN 'completed'`,
        `CASE WHEN true THEN 'completed'`,
      ],
    ],
  },
];

/** Tells what it did not find, so that a mutant whose statement was reworded does not pass for one. */
export function mutationOf({ pieces }: Mutant): {
  readonly mutate: Mutation;
  missed(): readonly string[];
} {
  const missed = new Set(pieces.map(([piece]) => piece));
  return {
    mutate: (text) => {
      let mutated = text;
      for (const [piece, instead] of pieces) {
        if (!mutated.includes(piece)) continue;
        missed.delete(piece);
        mutated = mutated.replace(piece, () => instead);
      }
      return mutated;
    },
    missed: () => [...missed],
  };
}
