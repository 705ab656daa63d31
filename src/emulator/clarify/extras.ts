import type { Json } from '../../domain/json.ts';
import type { Fields } from '../kernel/fields.ts';

/** A list of records: the ids it was given, or whatever has the value in the field. */
export interface RecordList {
  readonly id: string;
  readonly object: string;
  readonly title: string;
  readonly createdMs: number;
  readonly members:
    | { readonly type: 'static'; readonly ids: ReadonlySet<string> }
    | { readonly type: 'dynamic'; readonly field: string; readonly value: string };
}

export interface Comment {
  readonly id: string;
  readonly entity: string;
  readonly ownerId: string;
  readonly message: Json;
  readonly createdBy: string;
  readonly createdMs: number;
  readonly updatedMs: number;
}

export interface Resource {
  readonly id: string;
  readonly fields: Fields;
}

/** What a workspace has beside records. */
export interface Extras {
  readonly lists: RecordList[];
  readonly comments: Map<string, Comment>;
  readonly settings: Record<string, Json>;
  readonly workflows: Resource[];
  /** Campaign → its recipients. */
  readonly campaigns: Map<string, readonly Resource[]>;
  /** Record → its attachments; of one that is not named, what the sample data give it. */
  readonly attachments: Map<string, readonly Resource[]>;
}

export function createExtras(): Extras {
  return {
    lists: [],
    comments: new Map(),
    settings: { closedWonDealStage: 'Won', closedLostDealStage: 'Lost', fiscalYearOffset: 0 },
    workflows: [],
    campaigns: new Map(),
    attachments: new Map(),
  };
}
