import * as z from 'zod';
import { RemoteError } from '../../domain/errors.ts';
import type { SettingNames } from '../adapter.ts';
import { BadAnswer, type Call } from '../wire/call.ts';
import { BUSINESS } from './answer-error.ts';

const business = z.looseObject({ id: z.string().min(1) });

/** Whose data the key can reach: answered to every key that is accepted. */
export const businessCall: Call<string> = {
  endpoint: BUSINESS,
  method: 'GET',
  path: ['business', 'mine'],
  repeatable: true,
  doubts: [403, 404],
  read(body) {
    const parsed = business.safeParse(body);
    if (!parsed.success) throw new BadAnswer('it does not say which business it is');
    return parsed.data.id;
  },
};

/** @throws RemoteError where the key reaches another business than the one that is set. */
export function checkBusiness(id: string, businessId: string, names: SettingNames): void {
  if (id.toLowerCase() === businessId.toLowerCase()) return;
  throw new RemoteError(`${BUSINESS}: the key belongs to another business than the one set`, {
    code: 'remote-forbidden',
    disposition: 'halt',
    status: 200,
    hint: `Check ${names['businessId']}, and that ${names['apiKey']} and ${names['userId']} are of the same business.`,
  });
}
