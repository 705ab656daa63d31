import { PLAIN } from '../support/job-server.ts';
import type { ObjectName } from './arena.ts';
import { cast, insert, PAST_THE_LEASE_MS, type Scenario, update } from './scenarios.ts';
import { push } from './sync-steps.ts';
import type { World } from './world.ts';

const SLOW = { ...PLAIN, runsAfterMs: 40_000, endsAfterMs: 40_000 };
const TEXT = { company: 'name', person: 'linkedin_url', task: 'title' } as const;

function anyObject({ written }: World): ObjectName {
  const [object = 'task'] = written.objects;
  return object;
}

/** The process that hands a job over is killed before it knows the ticket, while the row is edited on. */
export const killedAtHandOver: Scenario = async (world) => {
  const { a, b, ann } = cast(world);
  const object = anyObject(world);
  world.written.plan(SLOW);
  const id = await insert(ann, object, { [TEXT[object]]: 'v1', marker: 'm1' });
  await a.session();
  const standstill = a.fate.pauseAt(({ ask }) => ask === 'submit');
  const pushing = push(world, a);
  await Promise.race([standstill.reached, pushing]);
  a.fate.die();
  standstill.resume();
  await pushing;
  await update(ann, object, id, { [TEXT[object]]: 'v2' });
  await world.clock.pass(PAST_THE_LEASE_MS);
  await push(world, b);
  return [];
};

/** It is killed right after, and whoever leads next finds the job open. */
export const killedWhileOut: Scenario = async (world) => {
  const { a, b, ann } = cast(world);
  const object = anyObject(world);
  world.written.plan(SLOW);
  const id = await insert(ann, object, { [TEXT[object]]: 'v1', marker: 'm1' });
  await push(world, a);
  a.fate.die();
  await update(ann, object, id, { [TEXT[object]]: 'v2' });
  await world.clock.pass(PAST_THE_LEASE_MS);
  await push(world, b);
  await world.clock.pass(PAST_THE_LEASE_MS);
  await push(world, b);
  return world.written.server.polls === 0 ? ['nobody asked what became of a job'] : [];
};
