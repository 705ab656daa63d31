/** A person who works in the workspace, as `GET /users` tells of them. */
export interface WorkspaceUser {
  readonly id: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string;
  readonly role: string;
  readonly createdMs: number;
}

const JOINED_MS = Date.UTC(2025, 0, 7, 9);

/** The first one owns the key. Ids are as the authentication provider made them. */
export const workspaceUsers: readonly WorkspaceUser[] = [
  user('user_01HXKEYOWNER0000000000000', 'Kim', 'Keyes', 'admin'),
  user('user_01HXSALES00000000000000000', 'Sam', 'Sales', 'member'),
  user('google-oauth2|104211700000000000001', 'Ola', 'Ops', 'member'),
];

/** Who acts without being a user. */
export const systemActors = ['system', 'agent', 'rep'] as const;

function user(id: string, firstName: string, lastName: string, role: string): WorkspaceUser {
  const email = `${firstName.toLowerCase()}@demo.example`;
  return { id, firstName, lastName, email, role, createdMs: JOINED_MS };
}
