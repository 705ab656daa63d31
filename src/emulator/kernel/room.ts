import type { DemoScript } from './demo-script.ts';
import type { ServeOptions } from './serve.ts';
import type { SwitchTable } from './switches.ts';

/** An option of `emulator` that only some CRMs have. */
export interface RoomFlag {
  /** Such as `--dialect <dialect>`. */
  readonly flags: string;
  readonly about: string;
  readonly choices?: readonly string[];
  readonly initial?: string;
}

export interface RoomOptions extends ServeOptions {
  readonly apiKey?: string | undefined;
  /** Sample records by object, over the defaults; `'none'` for an empty workspace. */
  readonly sizes?: Readonly<Record<string, number>> | 'none' | undefined;
  /** As the switch table parsed them. */
  readonly switches?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** Values of the room's flags, by name without the dashes. */
  readonly flags?: Readonly<Record<string, string | undefined>> | undefined;
}

type Variables = Readonly<Record<string, string>>;

/** An emulator at work, whichever CRM it is. */
export interface Emulated {
  readonly url: string;
  readonly adminUrl: string;
  /** Such as `a workspace of so and so`. */
  readonly is: string;
  /** What leads the product to it. */
  readonly variables: Variables;
  /** Another way in, and what it is good for. */
  readonly otherwise: { readonly about: string; readonly variables: Variables } | null;
  /** The same for a script. */
  readonly document: Readonly<Record<string, unknown>>;
  stop(): Promise<void>;
}

export interface EmulatedDemo {
  readonly emulated: Emulated;
  /** In the workspace, of all objects together. */
  readonly records: number;
  readonly script: DemoScript;
}

/** One CRM's emulator, as the command line and the demo see it. Light: what serves is loaded late. */
export interface Room {
  /** As `CLARIFY_SYNC_CRM` names it. */
  readonly name: string;
  /** As people name it. */
  readonly title: string;
  readonly flags: readonly RoomFlag[];
  /** `{people: 'person'}`: `--people 10` makes ten records of the object `person`. */
  readonly sizes: Readonly<Record<string, string>>;
  readonly switches: SwitchTable;
  /** A command line and a fault, for the help text. */
  readonly examples: readonly string[];
  /** @throws the listen error where host or port cannot be had */
  start(options: RoomOptions): Promise<Emulated>;
}

/** A CRM that this program can be kept in step with, for people to watch. */
export interface DemoRoom extends Room {
  startDemo(options: Pick<RoomOptions, 'onRequest'>): Promise<EmulatedDemo>;
}
