import * as z from 'zod';
import type { Json } from '../../domain/json.ts';
import type { Fields } from '../kernel/fields.ts';
import { invalid } from './api-error.ts';
import { contactValue } from './attributes.ts';
import { type ContactChange, PHONES, phoneDigits } from './contacts.ts';
import { attributesSchema, clears, idsSchema, readBody } from './query.ts';
import type { Workspace } from './workspace.ts';

/** Of a create and of an update; unknown members are ignored. */
const bodySchema = z.object({
  email: z.string().optional(),
  ext_id: z.union([z.string(), z.number()]).optional(),
  attributes: attributesSchema.optional(),
  listIds: idsSchema.optional(),
  unlinkListIds: idsSchema.optional(),
  emailBlacklisted: z.boolean().optional(),
  smsBlacklisted: z.boolean().optional(),
  updateEnabled: z.boolean().optional(),
  forceMerge: z.boolean().optional(),
  getId: z.boolean().optional(),
});

export type ContactBody = z.infer<typeof bodySchema>;

/** @throws ApiError 400 */
export function readContactBody(body: unknown): ContactBody {
  return readBody(bodySchema, body);
}

const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** As the server keeps it. @throws ApiError 400 */
export function readEmail({ switches }: Pick<Workspace, 'switches'>, given: string): string {
  const email = given.trim();
  if (!EMAIL.test(email)) throw invalid('email is not valid in contact');
  return switches.emailCase === 'lower' ? email.toLowerCase() : email;
}

/**
 * What a body asks for. Attributes that are unknown, in lower case or read-only are ignored, and so
 * are values that do not fit their type.
 *
 * @throws ApiError 400 for an e-mail or a phone number that is none
 */
export function changeOf(workspace: Workspace, body: ContactBody): ContactChange {
  const attributes = readAttributes(workspace, body.attributes ?? {});
  if (body.ext_id !== undefined) {
    const extId = String(body.ext_id);
    attributes.set('EXT_ID', extId === '' ? null : extId);
  }
  const { listIds, unlinkListIds, emailBlacklisted, smsBlacklisted } = body;
  return { attributes, listIds, unlinkListIds, emailBlacklisted, smsBlacklisted };
}

/** The new e-mail of an update; undefined where it stays. @throws ApiError 400 */
export function newEmail(workspace: Workspace, { attributes }: ContactBody) {
  const given = attributes?.['EMAIL'];
  if (given === undefined) return undefined;
  if (clears(given, workspace.switches.contactsClear)) return null;
  return typeof given === 'string' ? readEmail(workspace, given) : undefined;
}

export function readAttributes(workspace: Workspace, given: Fields): Map<string, Json> {
  const { contactAttributes, switches } = workspace;
  const changes = new Map<string, Json>();
  for (const [name, value] of Object.entries(given)) {
    const attribute = contactAttributes.find((each) => each.name === name);
    if (attribute === undefined) continue;
    if (attribute.category === 'calculated' || attribute.category === 'global') continue;
    if (clears(value, switches.contactsClear)) changes.set(name, null);
    else {
      const kept = contactValue(attribute, value);
      if (kept === undefined) continue;
      const isPhone = PHONES.includes(name) && typeof kept === 'string';
      changes.set(name, isPhone ? phoneDigits(kept) : kept);
    }
  }
  return changes;
}
