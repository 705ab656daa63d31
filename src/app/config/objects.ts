import type { Adapter } from '../../crm/adapter.ts';
import type { ConflictPolicy, DeletePolicy } from '../../domain/policy.ts';
import type { ConfigFile } from './file.ts';

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
  /** Whether transcripts of recordings are fetched. */
  readonly recordings: boolean;
  /** Whether what the CRM tells of the past of records is mirrored. */
  readonly activities: boolean;
  /** How soon attachments of a record are read again; null: when it changes; false: never read. */
  readonly attachmentsMs: number | null | false;
  /** Likewise of its comments; null: when there are more. */
  readonly commentsMs: number | null | false;
  readonly delete: DeletePolicy;
  /** How often everything is read; null: as the budget allows, within the sweep's interval. */
  readonly scanMs: number | null;
  /** Who wins where both sides changed `field`. */
  conflictsOf(field: string): ConflictPolicy;
}

/** Every minute, at its beginning or at the second that the workspace was given. */
const everyMinute = (second: number) => (second === 0 ? '* * * * *' : `${second} * * * * *`);

export function objectSettings(
  config: {
    readonly objects: ConfigFile['objects'];
    readonly exclude: readonly string[];
    readonly second?: number;
  },
  object: string,
): ObjectSettings {
  const file = Object.hasOwn(config.objects, object) ? config.objects[object] : undefined;
  const fields = file?.fields ?? {};
  return {
    included: !config.exclude.includes(object),
    pull: file?.pull ?? everyMinute(config.second ?? 0),
    push: file?.push ?? true,
    key: file?.key ?? null,
    history: file?.history ?? false,
    recordings: file?.recordings ?? false,
    activities: file?.activities ?? false,
    attachmentsMs: file?.attachments === undefined ? false : file.attachments,
    commentsMs: file?.comments === undefined ? false : file.comments,
    delete: file?.delete ?? 'push',
    scanMs: file?.scan ?? null,
    conflictsOf: (field) =>
      (Object.hasOwn(fields, field) ? fields[field]?.conflicts : undefined) ??
      file?.conflicts ??
      'newest',
  };
}

/** Whether a table beside the records is asked for, of an object where that has several. */
export function readsBeside(
  config: Parameters<typeof objectSettings>[0] & {
    readonly tables: Pick<ConfigFile['tables'], 'settings' | 'lists'> & {
      readonly campaigns: readonly string[];
    };
  },
  table: string,
  object: string | null,
): boolean {
  const { settings, lists, campaigns } = config.tables;
  if (object !== null) {
    const { attachmentsMs, commentsMs } = objectSettings(config, object);
    return (table === 'attachment' ? attachmentsMs : commentsMs) !== false;
  }
  if (table === 'setting') return settings;
  return table === 'campaign_recipient' ? campaigns.length > 0 : lists;
}

/** What is asked of a CRM that tells no past, by its path. */
export function untoldPasts(
  objects: ConfigFile['objects'],
  { title, tellsPast = false }: Pick<Adapter, 'title' | 'tellsPast'>,
): readonly string[] {
  const asked = Object.keys(objects).filter((object) => objects[object]?.activities === true);
  return tellsPast
    ? []
    : asked.map((object) => `objects.${object}.activities: ${title} tells no past of its records`);
}

/**
 * What the file names and the workspace does not have, by its path: misspelt, most likely. No
 * reason to stop, for a workspace may lose an object or a field at any time.
 *
 * @param undescribed objects that are there; of their fields nothing is known.
 */
export function unknownNames(
  config: { readonly objects: ConfigFile['objects']; readonly exclude: readonly string[] },
  schemas: readonly {
    readonly object: string;
    readonly fields: readonly { readonly name: string }[];
  }[],
  undescribed: ReadonlyMap<string, unknown> = new Map(),
): readonly string[] {
  const fieldsOf = new Map(
    schemas.map(({ object, fields }) => [object, new Set(fields.map(({ name }) => name))]),
  );
  const inObjects = Object.entries(config.objects).flatMap(([object, settings]) => {
    const known = fieldsOf.get(object);
    const at = `objects.${object}`;
    if (known === undefined) return undescribed.has(object) ? [] : [at];
    const fields = Object.keys(settings?.fields ?? {}).filter((name) => !known.has(name));
    const key = settings?.key;
    return [
      ...fields.map((name) => `${at}.fields.${name}`),
      ...(key !== undefined && !known.has(key) ? [`${at}.key`] : []),
    ];
  });
  const excluded = config.exclude.filter(
    (object) => !fieldsOf.has(object) && !undescribed.has(object),
  );
  return [...inObjects, ...excluded.map((object) => `exclude: ${object}`)];
}
