import type { CallOptions } from '../../domain/remote.ts';
import type { Send } from '../wire/call.ts';
import { isNotFound } from '../wire/refusals.ts';
import { type Attribute, listOf, readContactAttribute, readCrmAttribute } from './attribute.ts';
import { COMPANIES, type CrmObject } from './standard.ts';

export type AttributeMap = ReadonlyMap<string, Attribute>;

const DOUBTS = [402, 403, 404];

/** Attributes of contacts, by name. */
export async function readContactAttributes(
  send: Send,
  options: CallOptions,
): Promise<AttributeMap> {
  return await send(
    {
      endpoint: 'GET /contacts/attributes',
      method: 'GET',
      path: ['contacts', 'attributes'],
      repeatable: true,
      doubts: DOUBTS,
      read: (body) => byName(listOf(body).flatMap((item) => readContactAttribute(item) ?? [])),
    },
    options,
  );
}

/** Attributes of companies or deals, by name; null where no path to them is known. */
export async function readCrmAttributes(
  send: Send,
  object: CrmObject,
  options: CallOptions,
): Promise<AttributeMap | null> {
  const read = (endpoint: string, path: readonly string[]) =>
    send(
      {
        endpoint,
        method: 'GET',
        path,
        repeatable: true,
        doubts: DOUBTS,
        read: (body) => byName(listOf(body).map(readCrmAttribute)),
      },
      options,
    );
  const crm = () => read(`GET /crm/attributes/${object}`, ['crm', 'attributes', object]);
  // Where that one is not known, an older path may be.
  const older = () => read('GET /companies/attributes', ['companies', 'attributes']);
  for (const attempt of object === COMPANIES ? [crm, older] : [crm]) {
    try {
      return await attempt();
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  return null;
}

function byName(attributes: readonly Attribute[]): AttributeMap {
  return new Map(attributes.map((attribute) => [attribute.name, attribute]));
}
