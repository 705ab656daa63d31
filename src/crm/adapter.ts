import type * as z from 'zod';
import type { Hint } from '../domain/hint.ts';
import type { Json } from '../domain/json.ts';
import type { Remote } from '../domain/remote.ts';
import type { SidePart } from '../domain/side.ts';
import type { Traffic } from '../domain/traffic.ts';
import type { WireLog } from './wire/caller.ts';
import type { SpareBuffers } from './wire/spare-buffers.ts';

/** One of the things that have to be known of a workspace, and how it is given. */
export interface Setting {
  /** In options and in a fleet's file; that of a secret also as `<key>File`. */
  readonly key: string;
  /** In the environment; that of a secret also as `<variable>_FILE`. */
  readonly variable: string;
  readonly secret?: boolean;
  /** Without it nothing can be asked; one that a login may stand for is needed where there is none. */
  readonly required?: boolean;
  readonly default?: string;
  /** What is wrong with a value, to follow the setting's name, quoting none of it; null if nothing. */
  readonly check?: (value: string) => string | null;
  /** The value in the form it is used in. */
  readonly tidy?: (value: string) => string;
}

/** By key, checked; null where a setting was not given and has no default. */
export type Settings = Readonly<Record<string, string | null>>;

/** By key: what each setting is called where it was given, for messages. */
export type SettingNames = Readonly<Record<string, string>>;

/**
 * What an object's entry in the configuration may say with this CRM beside what every object's may:
 * types of keys, each of which may be left out.
 */
export interface ObjectDialect {
  readonly keys: z.core.$ZodLooseShape;
  /** Of the entry of one field. */
  readonly fieldKeys: z.core.$ZodLooseShape;
  /** The key that is meant where a field's entry is a mere value. */
  readonly fieldShorthand?: string;
  /** Mistakes that no key has by itself, each by its path below `objects`. */
  readonly check?: (objects: ObjectEntries) => readonly string[];
  /**
   * What an object's entry would have to say beside what it does for these fields to have columns, by
   * a value of each; null where that is nothing to be said there.
   */
  readonly declare?: (
    object: string,
    met: Readonly<Record<string, Json>>,
  ) => Readonly<Record<string, unknown>> | null;
}

/** What the configuration says of each object it names, checked; durations are milliseconds. */
export type ObjectEntries = Readonly<Record<string, Readonly<Record<string, unknown>> | null>>;

export interface OpenOptions {
  readonly names: SettingNames;
  readonly objects: ObjectEntries;
  /** Percent of the API's rate limit we may use. */
  readonly allowancePercent: number;
  readonly log: WireLog;
  /** Shared by all that the process opens; default its own. */
  readonly buffers?: SpareBuffers | undefined;
}

/** A workspace, reachable. */
export interface OpenRemote extends Remote, Traffic {
  /**
   * Names the workspace, and no other of any CRM; null before the first `discover`, where the
   * settings do not tell it.
   */
  readonly workspace: string | null;
  /** Gives up whatever waits or runs, and returns once nothing does. Safe to call twice. */
  stop(): Promise<void>;
}

/** How people sign in where there is no key. */
export interface Login {
  /** Keys of settings: the one a login stands for, the file that keeps it, and what signing in needs. */
  readonly insteadOf: string;
  readonly file: string;
  readonly needs: string;
  /** @throws SyncError with a code that begins with `login-`, or the signal's reason. */
  signIn(settings: Settings, options: SignInOptions): Promise<SignedIn>;
}

export interface SignInOptions {
  readonly names: SettingNames;
  readonly signal: AbortSignal;
  /** Told the address a person has to open. */
  readonly onAddress: (url: string) => void;
}

export interface SignedIn {
  /** Epoch milliseconds; null where the server does not say. */
  readonly expiresAtMs: number | null;
  /** Whether it is renewed by itself. */
  readonly renewable: boolean;
}

/** How calls of the CRM's are read: by whoever receives them, who may have no workspace open. */
export interface HookCalls {
  /**
   * Whether a call is the CRM's. Takes the same time however wrong it is.
   *
   * @param call.body as it came, byte by byte.
   * @param call.headers by lower-case name.
   */
  isSigned(call: HookCall, secret: string): boolean;
  /** What it tells; null where it is nothing of the API's. */
  read(body: Buffer): readonly Hint[] | null;
}

export interface HookCall {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/**
 * All that a CRM is to the rest of the program: what has to be set, and how it is opened. Every one
 * has the settings `apiKey` and `apiUrl`.
 */
export interface Adapter {
  /** In settings, and the default name of the schema. */
  readonly name: string;
  /** For a reader. */
  readonly title: string;
  readonly settings: readonly Setting[];
  /** Mistakes that no setting has by itself. */
  readonly check?: (settings: Settings, names: SettingNames) => readonly string[];
  /** Loaded when it is asked for, as all is that a command line alone has no use for. */
  readonly objects?: () => Promise<ObjectDialect>;
  /** Asks nothing yet. Everything that is required is set. */
  open(settings: Settings, options: OpenOptions): Promise<OpenRemote>;
  readonly login?: Login;
  /** Whether it tells what happened to its records before; default false. */
  readonly tellsPast?: boolean;
  /** Left out where the CRM calls nobody. */
  readonly hooks?: () => Promise<HookCalls>;
  /** What `Remote.readSide` reads; left out where that is nothing. */
  readonly sides?: readonly SidePart[];
}
