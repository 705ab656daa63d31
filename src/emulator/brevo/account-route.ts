import type { Answer } from '../kernel/answer.ts';
import type { Workspace } from './workspace.ts';

/** `GET /account`: neither the zone nor the form of dates. */
export function readAccount({ account }: Workspace): Answer {
  const { organizationId, userId, plan, credits } = account;
  const told = {
    organization_id: organizationId,
    user_id: userId,
    enterprise: plan === 'enterprise',
    companyName: 'Demo',
    email: 'owner@demo.example',
    firstName: 'Olive',
    lastName: 'Owner',
    address: { street: '1 Mill Lane', city: 'Lisbon', zipCode: '1000', country: 'Portugal' },
    plan: [{ type: 'subscription', credits: credits ? 10_000 : 0, creditsType: 'sendLimit' }],
    relay: {
      enabled: true,
      data: { userName: 'owner@demo.example', relay: 'smtp-relay.example', port: 587 },
    },
  };
  return { status: 200, text: JSON.stringify(told) };
}
