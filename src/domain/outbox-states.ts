/** In which an entry of the outbox may be. */
export const outboxStates = [
  'pending',
  'sending',
  'done',
  'parked',
  'superseded',
  'cancelled',
] as const;
export type OutboxState = (typeof outboxStates)[number];
