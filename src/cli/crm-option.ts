import { Option } from 'commander';
import { UsageError } from '../domain/errors.ts';
import type { Room } from '../emulator/kernel/room.ts';

/** `--crm`, for what plays a CRM itself; the first is meant where none is named. */
export function crmOption(rooms: readonly [Room, ...Room[]]): Option {
  return new Option('--crm <name>', 'whose workspace it is')
    .choices(rooms.map(({ name }) => name))
    .default(rooms[0].name);
}

/** @throws UsageError where there is none of this name */
export function roomNamed<R extends Room>(rooms: readonly R[], name: string): R {
  const room = rooms.find((each) => each.name === name);
  if (room !== undefined) return room;
  throw new UsageError([`there is no CRM of the name ${name}`]);
}

/** One title, or `this or that`. */
export function titlesOf(rooms: readonly Room[]): string {
  return rooms.map(({ title }) => title).join(' or ');
}
