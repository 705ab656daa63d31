import * as z from 'zod';
import type { Json } from '../../domain/json.ts';
import type { Answer } from '../kernel/answer.ts';
import { ApiError } from '../kernel/api-error.ts';
import type { Fields } from '../kernel/fields.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { invalid, missing, notFound, refuse } from './api-error.ts';
import { changeOf, readAttributes, readContactBody, readEmail } from './contact-body.ts';
import { answer, NOTHING, refuseWithoutCredits } from './contact-routes.ts';
import {
  clashes,
  findContact,
  insertContact,
  NOBODY,
  taken,
  updateContact,
  withChange,
} from './contacts.ts';
import { makeList } from './list-routes.ts';
import { attributesSchema, idsSchema, readBody } from './query.ts';
import type { IdentifierKind, Workspace } from './workspace.ts';

const rowSchema = z.object({
  email: z.string().optional(),
  attributes: attributesSchema.optional(),
});
type Row = z.infer<typeof rowSchema>;

const importSchema = z.object({
  jsonBody: z.array(rowSchema).optional(),
  fileBody: z.string().optional(),
  fileUrl: z.string().optional(),
  listIds: idsSchema.optional(),
  newList: z.object({ listName: z.string(), folderId: z.number().int().optional() }).optional(),
  emailBlacklist: z.boolean().default(false),
  smsBlacklist: z.boolean().default(false),
  updateExistingContacts: z.boolean().default(true),
  emptyContactsAttributes: z.boolean().default(false),
});
type Import = z.infer<typeof importSchema>;

/** `POST /contacts/import`: contacts are known by e-mail, and all are put on a list. */
export function importContacts(workspace: Workspace, { body }: ApiRequest): Answer {
  refuseWithoutCredits(workspace);
  const asked = readBody(importSchema, body);
  const { jsonBody, fileBody, fileUrl, newList, listIds = [] } = asked;
  const sources = [jsonBody, fileBody, fileUrl].filter((each) => each !== undefined);
  if (sources.length !== 1) throw missing('One of jsonBody, fileBody and fileUrl');
  if (newList === undefined && listIds.length === 0) throw missing('listIds or newList');
  if (listIds.some((id) => !workspace.lists.has(id))) throw invalid('List ID does not exist');
  const made = newList && makeList(workspace, newList.listName, newList.folderId);
  const lists = made === undefined ? listIds : [...listIds, made];
  // Nothing is fetched from elsewhere.
  const rows = jsonBody ?? rowsOf(fileBody ?? '');
  const problems = new Map<string, string[]>();
  const steps = rows.map((row) => () => importRow(workspace, asked, lists, row, problems));
  const info = (): unknown => ({ import: reports(problems) });
  const processId = workspace.jobs.submit({ name: 'IMPORTUSER', steps, info });
  return answer({ processId }, { status: 202, recordsWritten: rows.length });
}

const REPORTS = {
  invalid: 'invalid_emails',
  id: 'duplicate_contact_id',
  ext_id: 'duplicate_ext_id',
  email: 'duplicate_email_id',
  SMS: 'duplicate_phone_id',
  WHATSAPP: 'duplicate_whatsapp_id',
  LANDLINE_NUMBER: 'duplicate_landline_number_id',
} as const;

/** The address of a report for each kind of problem, or null. */
function reports(problems: ReadonlyMap<string, readonly string[]>): Fields {
  return Object.fromEntries(
    Object.entries(REPORTS).map(([kind, name]) => [
      name,
      problems.has(kind) ? `https://reports.brevo.example/${name}.csv` : null,
    ]),
  );
}

function importRow(
  workspace: Workspace,
  asked: Import,
  listIds: readonly number[],
  row: Row,
  problems: Map<string, string[]>,
): void {
  const { switches } = workspace;
  const report = (kind: IdentifierKind | 'invalid'): unknown =>
    problems.set(kind, [...(problems.get(kind) ?? []), row.email ?? '']);
  try {
    const email = readEmail({ switches }, row.email ?? '');
    const existing = findContact(workspace, 'email', email);
    if (existing !== undefined && !asked.updateExistingContacts) return;
    const given = Object.entries(row.attributes ?? {}).filter(([, value]) => isKept(asked, value));
    const change = {
      email,
      attributes: readAttributes(workspace, Object.fromEntries(given)),
      listIds,
      ...(asked.emailBlacklist ? { emailBlacklisted: true } : {}),
      ...(asked.smsBlacklist ? { smsBlacklisted: true } : {}),
    };
    const wanted = withChange(workspace, existing ?? NOBODY, change);
    const found = clashes(workspace, wanted, existing?.id ?? null);
    if (found.size > 0) for (const kind of found.keys()) report(kind);
    else if (existing === undefined) insertContact(workspace, wanted, workspace.now());
    else updateContact(workspace, existing, wanted, workspace.now());
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    report('invalid');
  }
}

/** An empty value is passed over unless it is to clear, and a boolean is never set to false. */
function isKept({ emptyContactsAttributes }: Import, value: Json): boolean {
  if (value === false) return false;
  const isEmpty = value === null || value === '' || (Array.isArray(value) && value.length === 0);
  return !isEmpty || emptyContactsAttributes;
}

/** Lines of fields between semicolons, the first with their names. */
function rowsOf(text: string): Row[] {
  const [head = '', ...lines] = text.split(/\r?\n/).filter((line) => line !== '');
  const names = head.split(';').map((name) => name.trim());
  return lines.map((line) => {
    const values = line.split(';');
    const fields = Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
    const { EMAIL, ...attributes } = fields;
    return EMAIL === undefined ? { attributes } : { email: EMAIL, attributes };
  });
}

const batchSchema = z.object({ contacts: z.array(z.looseObject({})).min(1).max(100) });
const whoSchema = z.object({
  id: z.number().int().optional(),
  email: z.string().optional(),
  ext_id: z.string().optional(),
  sms: z.string().optional(),
});

/** `POST /contacts/batch`: deprecated, and perhaps gone. Each is named by one identifier. */
export function updateBatch(workspace: Workspace, { body }: ApiRequest): Answer {
  if (workspace.switches.contactsBatch === 'gone') {
    throw refuse(404, null, 'The resource could not be found');
  }
  refuseWithoutCredits(workspace);
  for (const given of readBody(batchSchema, body).contacts) {
    const { id, email, ext_id: extId, sms } = readBody(whoSchema, given);
    const found =
      (id !== undefined && findContact(workspace, 'id', String(id))) ||
      (email !== undefined && findContact(workspace, 'email', email)) ||
      (extId !== undefined && findContact(workspace, 'ext_id', extId)) ||
      (sms !== undefined && findContact(workspace, 'SMS', sms));
    if (found === undefined || found === false) throw notFound('Contact does not exist');
    const change = changeOf(workspace, readContactBody({ ...given, ext_id: undefined }));
    const wanted = withChange(workspace, found, change);
    const others = clashes(workspace, wanted, found.id);
    if (others.size > 0) throw taken(others.keys(), 'update');
    updateContact(workspace, found, wanted, workspace.now());
  }
  return NOTHING;
}
