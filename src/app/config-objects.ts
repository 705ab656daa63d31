import type { ConflictPolicy, DeletePolicy } from '../domain/policy.ts';
import type { ConfigFile } from './config-file.ts';

/** How one object is kept in step: what the file says, or the default. */
export interface ObjectSettings {
  /** False where the file excludes it. */
  readonly included: boolean;
  /** When to pull, a cron expression of five or six fields. */
  readonly pull: string;
  /** False where local writes are refused whatever the rest of the program does. */
  readonly push: boolean;
  /** A unique field that makes creates repeatable; null: the workspace's own. */
  readonly key: string | null;
  readonly history: boolean;
  readonly delete: DeletePolicy;
  /** Who wins where both sides changed `field`. */
  conflictsOf(field: string): ConflictPolicy;
}

const EVERY_MINUTE = '* * * * *';

export function objectSettings(
  config: { readonly objects: ConfigFile['objects']; readonly exclude: readonly string[] },
  object: string,
): ObjectSettings {
  const file = Object.hasOwn(config.objects, object) ? config.objects[object] : undefined;
  const fields = file?.fields ?? {};
  return {
    included: !config.exclude.includes(object),
    pull: file?.pull ?? EVERY_MINUTE,
    push: file?.push ?? true,
    key: file?.key ?? null,
    history: file?.history ?? false,
    delete: file?.delete ?? 'push',
    conflictsOf: (field) =>
      (Object.hasOwn(fields, field) ? fields[field]?.conflicts : undefined) ??
      file?.conflicts ??
      'newest',
  };
}
