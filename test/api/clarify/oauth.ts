import * as z from 'zod';
import { type Deviation, type Exchange, header } from './exchange.ts';
import { shapeDeviations } from './shape.ts';

/** Signing in stands on a host of its own, outside of any workspace. */
export const isOauth = (path: string) => /^(?:\/[^/]+)*\/oauth2\/(?:authorize|token)$/.test(path);

const scopes = ['openid', 'profile', 'email', 'offline_access'];
const authorize = z.looseObject({
  response_type: z.literal('code'),
  client_id: z.string().min(1),
  redirect_uri: z.string().min(1),
  scope: z
    .string()
    .refine((value) => value.split(' ').every((each) => scopes.includes(each)), 'unknown scope'),
  code_challenge: z.string().min(43).optional(),
  code_challenge_method: z.literal('S256').optional(),
});

const token = z.discriminatedUnion('grant_type', [
  z.looseObject({
    grant_type: z.literal('authorization_code'),
    code: z.string().min(1),
    redirect_uri: z.string().min(1),
    // With PKCE the client names itself in the body.
    client_id: z.string().min(1).optional(),
    code_verifier: z.string().min(43).optional(),
  }),
  z.looseObject({ grant_type: z.literal('refresh_token'), refresh_token: z.string().min(1) }),
]);

const tokens = z.looseObject({
  access_token: z.string().min(1),
  token_type: z.string().regex(/^bearer$/i, 'expected Bearer'),
  expires_in: z.int().min(1),
  refresh_token: z.string().min(1).optional(),
  scope: z.string().optional(),
});
const refusal = z.looseObject({ error: z.string().min(1) });

export function oauthRequest(
  { request }: Exchange,
  path: string,
  query: URLSearchParams,
): Deviation[] {
  if (path.endsWith('/authorize')) {
    return shapeDeviations(authorize, Object.fromEntries(query), 'request.query');
  }
  const form = header(request.headers, 'content-type') ?? '';
  if (request.method !== 'POST' || !form.startsWith('application/x-www-form-urlencoded')) {
    return [{ at: 'request', what: 'expected a form that is posted' }];
  }
  const body = Object.fromEntries(new URLSearchParams(request.body));
  const found = shapeDeviations(token, body, 'request.body');
  if ('code_verifier' in body && !('client_id' in body)) {
    found.push({ at: 'request.body.client_id', what: 'is missing' });
  }
  return found;
}

export function oauthAnswer({ answer }: Exchange, path: string, body: unknown): Deviation[] {
  if (path.endsWith('/authorize')) return [];
  return shapeDeviations(answer.status < 300 ? tokens : refusal, body, 'answer.body');
}
