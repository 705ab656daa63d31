import { existsSync, readFileSync } from 'node:fs';
import { isObject } from '../../domain/json.ts';

const HOMEPAGE = 'https://www.npmjs.com/package/clarify-sync';

/** The package's own file lies above the sources, and above what they are compiled to. */
function readManifest(): Readonly<Record<string, unknown>> {
  let file = new URL('package.json', import.meta.url);
  while (!existsSync(file)) {
    const above = new URL('../package.json', file);
    if (above.href === file.href) return {};
    file = above;
  }
  const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'));
  return isObject(manifest) ? manifest : {};
}

/** Of this package, such as `0.1.0`. */
export function packageVersion(): string {
  return String(readManifest()['version']);
}

/** Some servers refuse requests without one, and their people should see who is asking. */
export function defaultUserAgent(): string {
  const { version, homepage = HOMEPAGE } = readManifest();
  return `clarify-sync/${String(version)} (+${String(homepage)})`;
}
