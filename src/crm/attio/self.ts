import * as z from 'zod';
import { RemoteError } from '../../domain/errors.ts';
import type { SettingNames } from '../adapter.ts';
import { BadAnswer, type Call } from '../wire/call.ts';
import { SELF } from './answer-error.ts';

/** Who the key stands for. */
export interface Self {
  readonly workspaceId: string;
  /** Null where it is not told. */
  readonly scopes: ReadonlySet<string> | null;
}

const self = z.looseObject({
  active: z.literal(true),
  workspace_id: z.string().min(1),
  scope: z.string().nullish().catch(undefined),
});

/** It answers 200 for a revoked key as well, and says so in its body. */
export const selfCall: Call<Self> = {
  endpoint: SELF,
  method: 'GET',
  path: ['self'],
  repeatable: true,
  read(body) {
    const parsed = self.safeParse(body);
    if (!parsed.success) throw new BadAnswer('it does not say what the key stands for');
    const { workspace_id: workspaceId, scope } = parsed.data;
    const scopes = typeof scope === 'string' ? scope.split(/\s+/).filter(Boolean) : null;
    return { workspaceId, scopes: scopes === null ? null : new Set(scopes) };
  },
};

/** Without these nothing can be read. What else is missing is told by what it is needed for. */
const NEEDED = ['record_permission', 'object_configuration'];

/** @throws RemoteError that names every scope that is missing. */
export function checkScopes({ scopes }: Self, names: SettingNames): void {
  if (scopes === null) return;
  const missing = NEEDED.filter(
    (name) => !scopes.has(`${name}:read`) && !scopes.has(`${name}:read-write`),
  ).map((name) => `${name}:read`);
  if (missing.length === 0) return;
  throw new RemoteError(`${SELF}: the key lacks the scope ${missing.join(' and ')}`, {
    code: 'remote-forbidden',
    disposition: 'halt',
    status: 200,
    hint: `Give ${names['apiKey']} these scopes, and record_permission:read-write to push.`,
  });
}
