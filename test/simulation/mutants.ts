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

/** A guarantee taken out of the statements that give it. */
export interface Mutant {
  readonly name: string;
  /** Needs the guarantee, and nothing else. */
  readonly scenario: Scenario;
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
      [`o.state = 'sending' AND o.epoch = $1`, `o.state <> 'done' AND $1::bigint IS NOT NULL`],
    ],
  },
  {
    name: 'edits are merged without their base',
    scenario: otherField,
    pieces: [
      [
        'SELECT id, record_id, op, state, changes,',
        `SELECT id, record_id, op, state, (SELECT jsonb_object_agg(key, value || '{"base": null}')
           FROM jsonb_each(changes)) AS changes,`,
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
    pieces: [[`AND noticed_at >= $3::timestamptz`, `AND $3::text IS NULL AND noticed_at >= now()`]],
  },
  {
    name: 'references keep ids that were given here',
    scenario: circle,
    pieces: [
      [
        `LIKE 'local:%'\n          AND NOT EXISTS (SELECT FROM clarify_sync.deferred AS d`,
        `LIKE 'nothing:%' AND NOT EXISTS (SELECT FROM clarify_sync.deferred AS d`,
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
