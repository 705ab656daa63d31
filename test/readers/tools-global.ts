import { node, python } from './tools.ts';

/** Once for all tests: it takes minutes, and two at a time would get in each other's way. */
export default async function setup(): Promise<void> {
  await python();
  await node();
}
