import { createRequire } from 'node:module';
import { z } from 'zod';

const manifest = z.object({
  version: z.string(),
  homepage: z.string().default('https://www.npmjs.com/package/clarify-sync'),
});

function readManifest(): z.infer<typeof manifest> {
  // The same three steps up from `src/crm/wire` and from `dist/crm/wire`.
  return manifest.parse(createRequire(import.meta.url)('../../../package.json'));
}

/** Of this package, such as `0.1.0`. */
export function packageVersion(): string {
  return readManifest().version;
}

/** Some servers refuse requests without one, and their people should see who is asking. */
export function defaultUserAgent(): string {
  const { version, homepage } = readManifest();
  return `clarify-sync/${version} (+${homepage})`;
}
