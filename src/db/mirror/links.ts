import { type PgTable, pgSchema, primaryKey, text } from 'drizzle-orm/pg-core';
import { fitName, isStorableText } from '../../domain/names.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import { MIRROR_SCHEMA, qualify } from './table.ts';

/** One end of a many-to-many pair. */
export interface LinkSide {
  readonly object: string;
  /** The field that lists the other end; null where the schema does not name it. */
  readonly field: string | null;
  /** The object's own schema has the field: it can be read and written from this end. */
  readonly declared: boolean;
  readonly column: string;
}

/** A pair of many-to-many fields: one row per link. */
export interface LinkTable {
  /** Not quoted, without the schema. */
  readonly name: string;
  readonly qualified: string;
  readonly sides: readonly [LinkSide, LinkSide];
  readonly drizzle: PgTable;
}

/** A link table seen from one end: records `here` list those `there` in their field. */
export interface LinkView {
  readonly link: LinkTable;
  readonly here: LinkSide & { readonly field: string };
  readonly there: LinkSide;
}

/** The ends a link can be read and written from, the table's own first. */
export function viewsOf(link: LinkTable): readonly LinkView[] {
  const [first, second] = link.sides;
  const views = [viewFrom(link, first, second), viewFrom(link, second, first)];
  // A field that is its own other end says everything twice.
  const isTwice = first.object === second.object && first.field === second.field;
  return views.slice(0, isTwice ? 1 : 2).filter((view) => view !== null);
}

/** The link tables that a field of the object fills, one view each. */
export function linkViews(links: readonly LinkTable[], object: string): readonly LinkView[] {
  return links.flatMap(viewsOf).filter(({ here }) => here.object === object);
}

/**
 * The end a link is written from and swept by: the first one that has a field. Local changes of
 * the table stand in the outbox as changes of this field.
 */
export function ownView(link: LinkTable): LinkView | null {
  return viewsOf(link)[0] ?? null;
}

/** Views of the object that are the table's own: one end per pair is enough for a complete read. */
export function ownViews(links: readonly LinkTable[], object: string): readonly LinkView[] {
  return links.flatMap((link) => {
    const view = ownView(link);
    return view !== null && view.here.object === object ? [view] : [];
  });
}

function viewFrom(link: LinkTable, here: LinkSide, there: LinkSide): LinkView | null {
  const { field, declared } = here;
  return field === null || !declared ? null : { link, here: { ...here, field }, there };
}

type End = Pick<LinkSide, 'object' | 'field'>;

function compareEnds(left: End, right: End): number {
  const [a, b] = [
    [left.object, left.field ?? ''],
    [right.object, right.field ?? ''],
  ].map((key) => JSON.stringify(key));
  return a === b ? 0 : (a ?? '') < (b ?? '') ? -1 : 1;
}

/**
 * The link tables of a workspace, by name: `deal.people ↔ person.deals` is
 * `deal_people(deal_id, person_id)`, whichever end declares it. One-to-many fields have none: they
 * are the other object's `*_id` column.
 */
export function linkTables(
  schemas: readonly ObjectSchema[],
  isTaken: (name: string) => boolean = () => false,
): LinkTable[] {
  const pairs = new Map<string, readonly [End, End]>();
  for (const { object, fields } of schemas) {
    for (const { name, relationship } of fields) {
      if (relationship?.kind !== 'many-to-many') continue;
      const here: End = { object, field: name };
      const there: End = { object: relationship.object, field: relationship.field };
      const storable = [object, name, there.object, there.field ?? ''].every(isStorableText);
      if (!storable) continue;
      const pair =
        compareEnds(here, there) <= 0 ? ([here, there] as const) : ([there, here] as const);
      pairs.set(JSON.stringify(pair), pair);
    }
  }
  const declared = new Set(
    schemas.flatMap(({ object, fields }) =>
      fields
        .filter(({ relationship }) => relationship?.kind === 'many-to-many')
        .map(({ name }) => JSON.stringify([object, name])),
    ),
  );
  const isDeclared = ({ object, field }: End) => declared.has(JSON.stringify([object, field]));
  const names = new Set<string>();
  return [...pairs.values()]
    .toSorted(([left], [right]) => compareEnds(left, right))
    .map((pair) => {
      const name = fitName(wantedName(pair), (one) => names.has(one) || isTaken(one));
      names.add(name);
      return linkTable(name, pair, isDeclared);
    });
}

/** After the first object and its field; where that end has no name, after the end that has. */
function wantedName([first, second]: readonly [End, End]): string {
  const named = first.field === null ? second : first;
  return `${named.object}_${named.field}`;
}

function linkTable(
  name: string,
  [first, second]: readonly [End, End],
  isDeclared: (end: End) => boolean,
): LinkTable {
  const free = () => false;
  const column = fitName(`${first.object}_id`, free);
  const otherColumn =
    first.object === second.object
      ? 'related_id'
      : fitName(`${second.object}_id`, (one) => one === column);
  return {
    name,
    qualified: qualify(name),
    sides: [
      { ...first, declared: isDeclared(first), column },
      { ...second, declared: isDeclared(second), column: otherColumn },
    ],
    get drizzle() {
      return pgSchema(MIRROR_SCHEMA).table(
        name,
        { first: text(column).notNull(), second: text(otherColumn).notNull() },
        (t) => [primaryKey({ columns: [t.first, t.second] })],
      );
    },
  };
}
