import { attioRoom } from './attio/room.ts';
import { brevoRoom } from './brevo/room.ts';
import { clarifyRoom } from './clarify/room.ts';
import type { DemoRoom, Emulated, Room } from './kernel/room.ts';
import { kizenRoom } from './kizen/room.ts';

/** Every CRM that can be emulated; the first is taken where none is named. */
export const emulators: readonly [Room, ...Room[]] = [clarifyRoom, attioRoom, kizenRoom, brevoRoom];

/** Those that have a demo. */
export const demos: readonly [DemoRoom, ...DemoRoom[]] = [
  clarifyRoom,
  attioRoom,
  kizenRoom,
  brevoRoom,
];

/** All that has to be set to use it. */
export function variablesFor(
  room: Room,
  { variables }: Emulated,
): Readonly<Record<string, string>> {
  return room === emulators[0] ? variables : { CLARIFY_SYNC_CRM: room.name, ...variables };
}
