import { weakerPromises } from '../../domain/promises.ts';
import type { Remote } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import type { Check } from './check.ts';

/** What cannot be promised of some objects, each sentence with those it is about; none where all can. */
export function checkPromises(
  remote: Pick<Remote, 'capabilitiesOf'>,
  schemas: readonly ObjectSchema[],
): readonly Check[] {
  const about = new Map<string, string[]>();
  for (const { object } of schemas) {
    for (const promise of weakerPromises(remote.capabilitiesOf(object))) {
      about.set(promise, [...(about.get(promise) ?? []), object]);
    }
  }
  return [...about].map(([promise, objects]) => {
    const who = objects.length === schemas.length ? 'every object' : objects.join(', ');
    return { name: 'promise', state: 'ok', detail: `${who}: ${promise}`, hint: null };
  });
}
