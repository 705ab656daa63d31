import * as z from 'zod';
import { BadAnswer, type Call } from '../wire/call.ts';

export const ACCOUNT = 'GET /account';

/** Whose key it is. */
export interface Account {
  readonly organizationId: string;
}

const account = z.looseObject({
  organization_id: z.union([z.string().min(1), z.number().transform(String)]),
});

export const accountCall: Call<Account> = {
  endpoint: ACCOUNT,
  method: 'GET',
  path: ['account'],
  repeatable: true,
  doubts: [402, 403, 404],
  read(body) {
    const parsed = account.safeParse(body);
    if (!parsed.success) throw new BadAnswer('it does not say whose the key is');
    return { organizationId: parsed.data.organization_id };
  },
};
