import { createRequire } from 'node:module';
import { z } from 'zod';

const manifest = z.object({
  version: z.string(),
  homepage: z.string().default('https://www.npmjs.com/package/clarify-sync'),
});

function readManifest(): z.infer<typeof manifest> {
  // The same two steps up from `src/clarify` and from `dist/clarify`.
  return manifest.parse(createRequire(import.meta.url)('../../package.json'));
}

/** Of this package, such as `0.1.0`. */
export function packageVersion(): string {
  return readManifest().version;
}

/** Clarify refuses requests without one, and its people should see who is asking. */
export function defaultUserAgent(): string {
  const { version, homepage } = readManifest();
  return `clarify-sync/${version} (+${homepage})`;
}
