import type { SidePart } from '../../domain/side.ts';
import type { ReadOnlyTask, TriggerTask } from '../mirror/attachments.ts';
import { USERS_TABLE } from '../mirror/table.ts';

/** A column with what its comment says. */
interface NamedColumn {
  readonly name: string;
  readonly says: string;
}

/**
 * A table of what a workspace has beside its records: read-only but where `writing` says otherwise, its
 * rows named by what they belong to and by an id, everything that the CRM tells of one in `fields`.
 */
export interface SideTable {
  /** What it is called unless somebody has that name. */
  readonly name: string;
  /** By this trigger the table is known, whatever its name had to be; the CRM's schema goes before it. */
  readonly trigger: ReadOnlyTask;
  /** The function of the control schema that refuses what others write. */
  readonly refusal: string;
  readonly says: string;
  /** What the unit's object stands in, where rows name it. */
  readonly object?: NamedColumn;
  /** What the unit's key stands in, where rows name it. */
  readonly parent?: NamedColumn;
  readonly id: NamedColumn;
  /** Null where nothing is kept of an item but its id. */
  readonly fields: string | null;
  /** Columns made of `fields`: the type, an immutable expression, and what the comment says. */
  readonly told: Readonly<Record<string, readonly [type: string, from: string, says: string]>>;
  /** Columns of further indexes. */
  readonly indexes: readonly string[];
  /** Where rows can be written here: what takes them in. */
  readonly writing?: SideWriting;
}

interface SideWriting {
  /** Plain columns, as the told ones: of what is in a table already, the expression is put down once. */
  readonly columns: Readonly<Record<string, readonly [type: string, from: string, says: string]>>;
  /** The default of the id. */
  readonly newId: string;
  /** What each is called, the CRM's schema goes before it, when it fires, and what it executes. */
  readonly triggers: readonly (readonly [TriggerTask, when: string, executes: string])[];
}

/**
 * A name comes in parts, in older workspaces as a text, and the whole of it only sometimes.
 */
const USER_NAME = `coalesce(
    nullif(fields #>> '{name,full_name}', ''),
    nullif(btrim(coalesce(fields #>> '{name,first_name}', '') || ' '
              || coalesce(fields #>> '{name,last_name}', '')), ''),
    CASE jsonb_typeof(fields -> 'name') WHEN 'string' THEN nullif(fields ->> 'name', '') END)`;

export const USERS: SideTable = {
  name: USERS_TABLE,
  trigger: 'users_read_only',
  refusal: 'refuse_user_write',
  says: 'Users of the workspace: who _created_by and _updated_by name. Read-only.',
  id: { name: 'id', says: 'As _created_by and _updated_by name the user.' },
  fields: 'Everything {title} tells of the user.',
  told: {
    name: ['text', USER_NAME, 'The whole name.'],
    email: ['text', `fields ->> 'email'`, 'The e-mail address.'],
  },
  indexes: [],
};

const REFUSAL = 'refuse_side_write';

const text = (path: string, says: string) =>
  ['text', `nullif(fields #>> '{${path}}', '')`, says] as const;

/** True, a time or a number beyond none says that it happened; null where nothing is told. */
const happened = (name: string, says: string) =>
  [
    'boolean',
    `CASE jsonb_typeof(fields -> '${name}')
       WHEN 'boolean' THEN (fields -> '${name}') = 'true'::jsonb
       WHEN 'number' THEN (fields -> '${name}') > '0'::jsonb
       WHEN 'string' THEN (fields ->> '${name}') NOT IN ('', 'false')
       WHEN 'null' THEN false END`,
    says,
  ] as const;

export const SIDE_TABLES: Readonly<Record<SidePart, SideTable>> = {
  setting: {
    name: 'setting',
    trigger: 'setting_read_only',
    refusal: REFUSAL,
    says: 'Settings of the workspace; what is not set has no row. Read-only.',
    id: { name: 'key', says: 'What the setting is called in {title}.' },
    fields: 'The setting as {title} tells it, under value.',
    told: { value: text('value', 'The setting as text.') },
    indexes: [],
  },
  list: {
    name: 'list',
    trigger: 'list_read_only',
    refusal: REFUSAL,
    says: 'Lists of the workspace, dynamic ones as well. Read-only.',
    id: { name: 'id', says: 'The id of the list.' },
    fields: 'Everything {title} tells of the list.',
    told: {
      object: [
        'text',
        `coalesce(nullif(fields ->> 'entity', ''), nullif(fields ->> 'object', ''))`,
        'The object whose records are in it.',
      ],
      title: [
        'text',
        `coalesce(nullif(fields ->> 'title', ''), nullif(fields ->> 'name', ''))`,
        'What it is called.',
      ],
      type: text('type', 'static, or dynamic: whatever a filter finds.'),
    },
    indexes: [],
  },
  list_member: {
    name: 'list_member',
    trigger: 'list_member_read_only',
    refusal: REFUSAL,
    says: 'Which record is in which list. Read-only.',
    parent: { name: 'list_id', says: 'The list.' },
    object: { name: 'object', says: 'The object of the record.' },
    id: { name: 'record_id', says: 'The record: the id of its row.' },
    fields: null,
    told: {},
    indexes: ['record_id'],
  },
  campaign_recipient: {
    name: 'campaign_recipient',
    trigger: 'campaign_recipient_read_only',
    refusal: REFUSAL,
    says: 'Whom a campaign was sent to, and what came of it. Read-only.',
    parent: { name: 'campaign_id', says: 'The campaign, as the configuration names it.' },
    id: { name: 'id', says: 'The id of the recipient within the campaign.' },
    fields: 'Everything {title} tells of the recipient.',
    told: {
      person_id: text('person_id', 'The person.'),
      opened: happened('opened', 'Whether it was opened.'),
      clicked: happened('clicked', 'Whether a link in it was followed.'),
      replied: happened('replied', 'Whether it was answered.'),
    },
    indexes: ['person_id'],
  },
  attachment: {
    name: 'attachment',
    trigger: 'attachment_read_only',
    refusal: REFUSAL,
    says: 'Files of records, without what is in them. Read-only.',
    object: { name: 'object', says: 'The object of the record.' },
    parent: { name: 'record_id', says: 'The record: the id of its row.' },
    id: { name: 'id', says: 'The id of the attachment.' },
    fields: 'Everything {title} tells of the attachment.',
    told: {
      name: text('name', 'What the file is called.'),
      source: text('source', 'Where it came from.'),
      mime_type: text('mime_type', 'Its media type.'),
      size_bytes: [
        'numeric',
        `CASE jsonb_typeof(fields -> 'size_bytes') WHEN 'number' THEN (fields ->> 'size_bytes')::numeric END`,
        'How long it is, in bytes.',
      ],
    },
    indexes: [],
  },
  comment: {
    name: 'comment',
    trigger: 'comment_read_only',
    refusal: 'comment_statement',
    says: 'What people said of records. New ones can be written: object, record_id, text.',
    object: { name: 'object', says: 'The object of the record.' },
    parent: { name: 'record_id', says: 'The record: the id of its row.' },
    id: { name: 'id', says: 'The id of the comment.' },
    fields: 'Everything {title} tells of the comment.',
    told: {
      message: ['jsonb', `fields -> 'message'`, 'What it says: a list of blocks of text.'],
      created_by: text('_created_by', 'Who wrote it: a user.'),
      created_at: text('_created_at', 'When, as {title} writes it: ISO 8601, UTC.'),
    },
    indexes: ['created_by'],
    writing: {
      columns: {
        text: ['text', '{sync}.comment_text(fields)', 'What it says as plain text.'],
      },
      newId: 'gen_random_uuid()::text',
      triggers: [
        ['comment_row', 'BEFORE INSERT OR UPDATE {on} FOR EACH ROW', 'comment_row'],
        [
          'comment_insert',
          'AFTER INSERT {on} REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT',
          'comment_insert',
        ],
        [
          'comment_delete',
          'AFTER DELETE {on} REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT',
          'comment_delete',
        ],
      ],
    },
  },
};

/** What names a row, in the order of the key. */
export function keyColumns({ object, parent, id }: SideTable): readonly string[] {
  return [parent?.name ?? [], object?.name ?? [], id.name].flat();
}
