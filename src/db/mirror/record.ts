import { stringifyJson } from '../../domain/json.ts';
import type { Field } from '../../domain/schema.ts';
import type { StandingMirror } from './catalog.ts';
import { isNumberType, type NumberType } from './number-type.ts';
import type { MirrorColumn, MirrorTable } from './table.ts';

/** A row of `{sync}.mirror_column`. */
export interface ColumnRecord {
  readonly field: string;
  readonly column: string;
  readonly kind: string;
  readonly position: number;
  readonly definition: Field & {
    readonly partColumns: readonly (readonly [string, string])[];
    readonly unfilled: boolean;
    readonly numberType?: NumberType | undefined;
    readonly overflown: boolean;
  };
}

/** A row of `{sync}.mirror`, and its columns. Fields not listed are removed. */
export interface MirrorRecord {
  readonly object: string;
  readonly table: string;
  readonly labelSingular: string;
  readonly labelPlural: string;
  readonly identity: string | null;
  readonly refusal: string | null;
  /** To-many fields whose links the CRM alone writes. */
  readonly readOnlyLinks: readonly string[];
  readonly columns: readonly ColumnRecord[];
}

/**
 * What to put on record about a table; null where the record says so already. The type of a column
 * that is `undecided` is left open: what keeps it as it is may go.
 */
export function recordOf(
  table: MirrorTable,
  mirror: StandingMirror | null,
  added: readonly MirrorColumn[],
  undecided: ReadonlySet<string>,
): MirrorRecord | null {
  const { schema } = table;
  const record: MirrorRecord = {
    object: table.object,
    table: table.name,
    labelSingular: schema.label.singular,
    labelPlural: schema.label.plural,
    identity: schema.identity,
    refusal: schema.readOnly,
    readOnlyLinks: schema.fields.filter(isReadOnlyLink).map(({ name }) => name),
    columns: table.columns.map((column, position) => {
      const standing = mirror?.fields.get(column.field.name);
      const parts = new Map(standing?.partColumns);
      for (const { part, column: name } of column.parts) parts.set(part.name, name);
      const isUnfilled = added.includes(column) || (standing?.removed ?? false);
      return {
        field: column.field.name,
        column: column.column,
        kind: column.field.kind,
        position,
        definition: {
          ...column.field,
          partColumns: [...parts],
          unfilled: isUnfilled || (standing?.unfilled ?? false),
          ...(isNumberType(column.sqlType) &&
            !undecided.has(column.field.name) && { numberType: column.sqlType }),
          // A column without a limit holds whatever comes.
          overflown:
            column.sqlType !== 'numeric' &&
            !added.includes(column) &&
            (standing?.overflown ?? false),
        },
      };
    }),
  };
  return mirror !== null && sameRecord(record, standingRecord(mirror)) ? null : record;
}

function standingRecord(mirror: StandingMirror): MirrorRecord | null {
  if (mirror.removed) return null;
  const live = [...mirror.fields].filter(([, { removed }]) => !removed);
  return {
    object: mirror.object,
    table: mirror.table,
    labelSingular: mirror.labelSingular,
    labelPlural: mirror.labelPlural,
    identity: mirror.identity,
    refusal: mirror.refusal,
    readOnlyLinks: mirror.readOnlyLinks,
    columns: live.map(([name, standing]) => ({
      field: name,
      column: standing.column,
      kind: standing.kind,
      position: standing.position,
      definition: {
        ...standing.field,
        partColumns: [...standing.partColumns],
        unfilled: standing.unfilled,
        ...(standing.numberType !== undefined && { numberType: standing.numberType }),
        overflown: standing.overflown,
      },
    })),
  };
}

function isReadOnlyLink({ kind, readOnly }: Field): boolean {
  return kind === 'references' && readOnly === true;
}

function sameRecord(left: MirrorRecord, right: MirrorRecord | null): boolean {
  return right !== null && stringifyJson(left) === stringifyJson(right);
}
