import { type Command, Option } from 'commander';
import { UsageError } from '../domain/errors.ts';
import { emulators } from '../emulator/emulators.ts';
import type { Room, RoomOptions } from '../emulator/kernel/room.ts';

/** The options of `emulator` that only some CRMs have, each under the CRMs that have it. */
export function addRoomFlags(command: Command, count: (text: string) => number): void {
  for (const [flags, option] of optionsByFlags(count)) {
    const titles = emulators.filter((room) => flagsOf(room).includes(flags));
    command.addOption(option.helpGroup(`${titles.map(({ title }) => title).join(', ')}:`));
  }
}

function optionsByFlags(count: (text: string) => number): Map<string, Option> {
  const found = new Map<string, Option>();
  for (const room of emulators) {
    for (const { flags, about, choices, initial } of room.flags) {
      const option = found.get(flags) ?? new Option(flags, about).default(initial);
      found.set(flags, choices === undefined ? option : option.choices(choices));
    }
    for (const name of Object.keys(room.sizes)) {
      const flags = sizeFlags(name);
      const option = new Option(flags, `how many sample ${name}`).argParser(count);
      found.set(flags, found.get(flags) ?? option);
    }
  }
  return found;
}

function flagsOf(room: Room): string[] {
  return [...room.flags.map(({ flags }) => flags), ...Object.keys(room.sizes).map(sizeFlags)];
}

function sizeFlags(name: string): string {
  return `--${name} <n>`;
}

/**
 * What was given for this CRM.
 *
 * @param pairs as `name=value`
 * @throws UsageError naming every option and switch that is none of its
 */
export function readRoomFlags(
  room: Room,
  command: Command,
  pairs: readonly string[],
): Required<Pick<RoomOptions, 'flags' | 'sizes' | 'switches'>> {
  const problems: string[] = [];
  const flags: Record<string, string | undefined> = {};
  const sizes: Record<string, number> = {};
  const own = flagsOf(room);
  for (const option of command.options) {
    const isGiven = command.getOptionValueSource(option.attributeName()) === 'cli';
    const isOthers = emulators.some((each) => flagsOf(each).includes(option.flags));
    if (!own.includes(option.flags)) {
      if (isGiven && isOthers) problems.push(`${room.title} has no option --${option.name()}`);
      continue;
    }
    const value: unknown = command.getOptionValue(option.attributeName());
    const object = room.sizes[option.name()];
    if (typeof value === 'string') flags[option.name()] = value;
    else if (typeof value === 'number' && object !== undefined) sizes[object] = value;
  }
  let switches: NonNullable<RoomOptions['switches']> = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    try {
      switches = { ...switches, ...room.switches.parse(pair.slice(0, at), pair.slice(at + 1)) };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      problems.push(`--switch ${pair}: ${error.message}`);
    }
  }
  if (problems.length > 0) throw new UsageError(problems);
  return { flags, sizes, switches };
}

/** The switches of every CRM, and what else to know. */
export function roomHelp(): string {
  const width = Math.max(
    ...emulators.flatMap(({ switches }) => switches.names.map(({ name }) => name.length)),
  );
  return [
    ...emulators.flatMap(({ title, switches }) => [
      '',
      emulators.length === 1 ? 'Switches:' : `Switches of ${title}:`,
      ...switches.names.map(
        ({ name, takes, about }) => `  ${name.padEnd(width)}  ${about} (${takes})`,
      ),
    ]),
    '',
    'Faults, and what people do in the app, come through POST /_emulator/… on the same port;',
    'docs/emulator.md has them all.',
    '',
    'Example:',
    ...emulators[0].examples.map((line) => `  ${line}`),
  ].join('\n');
}
