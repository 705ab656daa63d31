import { createRequire } from 'node:module';
import { z } from 'zod';

const manifest = z.object({
  version: z.string(),
  homepage: z.string().default('https://www.npmjs.com/package/clarify-sync'),
});

/** Clarify refuses requests without one, and its people should see who is asking. */
export function defaultUserAgent(): string {
  // The same two steps up from `src/clarify` and from `dist/clarify`.
  const { version, homepage } = manifest.parse(
    createRequire(import.meta.url)('../../package.json'),
  );
  return `clarify-sync/${version} (+${homepage})`;
}
