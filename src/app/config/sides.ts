import type { Adapter } from '../../crm/adapter.ts';
import type { SidePart } from '../../domain/side.ts';
import type { ConfigFile } from './file.ts';

const OF_RECORDS = [
  ['attachments', 'attachment'],
  ['comments', 'comment'],
] as const;

/** What the file wants of a CRM that does not tell it, by its path. @param crm null: any of them. */
export function sideProblems(
  { tables, objects }: Pick<ConfigFile, 'tables' | 'objects'>,
  crm: Adapter | null,
): readonly string[] {
  if (crm === null) return [];
  const wanted: (readonly [path: string, part: SidePart])[] = [
    ...(tables.settings ? [['tables.settings', 'setting'] as const] : []),
    ...(tables.lists ? [['tables.lists', 'list'] as const] : []),
    ...(tables.campaigns.length > 0 ? [['tables.campaigns', 'campaign_recipient'] as const] : []),
    ...Object.entries(objects).flatMap(([object, settings]) =>
      OF_RECORDS.flatMap(([key, part]) => {
        const said = settings?.[key];
        const isOff = said === undefined || said === false;
        return isOff ? [] : [[`objects.${object}.${key}`, part] as const];
      }),
    ),
  ];
  return wanted
    .filter(([, part]) => crm.sides?.includes(part) !== true)
    .map(([path]) => `${path} is set, and nothing of it can be read from ${crm.title}`);
}
