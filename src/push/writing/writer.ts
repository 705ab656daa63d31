import type { Writing } from '../../domain/capabilities.ts';
import { sendInBulk } from './bulk.ts';
import { sendAsJobs } from './job.ts';
import { sendingOrder, type Writer } from './sending.ts';
import { sendSingly } from './single.ts';

/** How changes of an object are sent, by what can be done with it. */
export function writerOf(writing: Writing): Writer {
  switch (writing.kind) {
    case 'single':
      return sendSingly;
    case 'bulk':
      return async (sending, schema, changes, options) => {
        for (const group of sendingOrder(changes)) {
          await sendInBulk(sending, schema, group, options);
        }
      };
    case 'job':
      return sendAsJobs;
  }
}
