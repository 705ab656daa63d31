import type { Json } from '../../domain/json.ts';

/** Where something happens: in the CRM's app, or in the warehouse. */
export type Side = 'crm' | 'sql';

/** It did not come, for as long as one waits. */
export class NotArrived extends Error {}

type Row = Readonly<Record<string, unknown>>;

/** A user's own connection to the warehouse; values are `$1…$n`. */
export interface DemoSql {
  query(statement: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  transaction(work: (tx: Pick<DemoSql, 'query'>) => Promise<void>): Promise<void>;
}

/** What a turn of the traffic may do. */
export interface Ground {
  readonly sql: DemoSql;
  /** The first row of what is asked, or null. */
  one(statement: string, values?: readonly unknown[]): Promise<Row | null>;
  /** Looks until there is something to see. @throws NotArrived, or an AbortError */
  until<T>(look: () => Promise<T | null>): Promise<T>;
}

/** What a scene may do, told as it does it. */
export interface Stage extends Ground {
  did(side: Side, what: string): void;
  tells(side: Side, what: string): void;
  /** Waits until `look` finds something, then tells where and after how long. */
  arrives<T>(side: Side, what: string, look: () => Promise<T | null>): Promise<T>;
}

/** Somebody writes on one side, and we wait for it on the other. */
export interface Scene {
  readonly title: string;
  play(stage: Stage): Promise<void>;
}

/** An edit on either side, until it has arrived. @returns what it was, for people to read */
export type Turn = (ground: Ground, turn: number) => Promise<string>;

/** What the demo shows of one CRM. */
export interface DemoScript {
  /** Those looked at every second: a demo is for watching. */
  readonly objects: readonly string[];
  /** What the configuration file says of some of them besides. */
  readonly settings?: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly exclude: readonly string[];
  /** The CRM is asked to call when records change: nothing else tells of an edit as soon. */
  readonly calls?: boolean;
  readonly scenes: readonly Scene[];
  /** Played over and over while people watch. */
  readonly turns: readonly Turn[];
  /** A query for whoever joins in. */
  readonly query: string;
}
