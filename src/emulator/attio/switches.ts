import {
  BOOLEAN,
  oneOf,
  SHARED_RULES,
  type SwitchesOf,
  type SwitchRules,
  switchTable,
  whole,
} from '../kernel/switches.ts';

/** Everything the sources leave open about the server, and what else tests like to vary. */
const RULES = {
  limitOver: oneOf(
    ['cut', 'refuse', 'honour'],
    'a `limit` above 500: a page of 500, a 400, or as many as were asked for',
  ),
  tieOrder: oneOf(
    ['stable', 'reversed', 'shuffled'],
    'order among equal sort keys: always the same, turned round in every second answer, or new in every answer',
  ),
  unsorted: oneOf(['created', 'shuffled'], 'order of a query without `sorts`'),
  timeFilters: oneOf(
    ['nanoseconds', 'milliseconds', 'seconds'],
    'how finely a filter compares times',
  ),
  visibilityDelayMs: whole('how long a write stays out of queries'),
  lateShare: { min: 0, max: 1, about: 'which share of the writes is delayed' },
  lateGets: oneOf(BOOLEAN, 'a GET of one record is as late as queries are'),
  nullClears: oneOf(BOOLEAN, '`null` clears an attribute as `[]` does, or is refused'),
  conflictStatus: oneOf(['400', '409'], 'status of a uniqueness conflict'),
  conflictNames: oneOf(
    ['slug', 'id', 'record'],
    'what the message of a uniqueness conflict names: the attribute by slug or by id, or the record as well',
  ),
  archivedValues: oneOf(['absent', 'present'], 'archived attributes among the values of a record'),
  equalValues: oneOf(
    ['keep', 'renew'],
    'what a write of the value that stands does to its `active_from`',
  ),
  merged: oneOf(['new', 'primary'], 'the record a merge leaves: a new one, or the primary itself'),
  mergedCreatedAt: oneOf(['primary', 'new'], '`created_at` of a merged record'),
  mergeMs: whole('how long a merge takes; with 0 it is done when it is answered'),
  referenceOrder: oneOf(
    ['stable', 'shuffled'],
    'order of the records that a list of references names: as they were added, or new in every answer',
  ),
  deletedTargets: oneOf(['gone', 'kept'], 'references to a deleted record'),
  scoreBudget: whole('complexity score that queries have in any 10 seconds; 0 for no end'),
  titles: oneOf(['exact', 'any case'], 'how titles of options and statuses are told apart'),
  precision: oneOf(['ms', 'us', 'ns'], 'how fine the times are that the server gives'),
  relationshipForm: oneOf(
    ['full', 'id'],
    '`relationship` of an attribute, or its `id` alone as in 2025',
  ),
  tokenLevel: oneOf(['workspace', 'user', 'absent'], '`token_level` of /self'),
  enriches: oneOf(
    BOOLEAN,
    'a person gets a company by the domain of its address, a company facts by its domain',
  ),
  enrichmentMs: whole('how long after a write enrichment comes'),
  draftSeconds: whole(
    'how much earlier than the record the attribute `created_at` can be, of what is made in the app; below 11 it never is',
  ),
  webhookTargets: oneOf(['https', 'any'], 'what a webhook may point to'),
  webhookRetryMs: whole('wait before a delivery is tried again; it doubles each time', 1),
  webhookDelayMs: whole('how long a delivery can be under way, so that they come in any order'),
  webhookCopies: whole('how often each event is delivered', 1),
  readsPerSecond: whole('reads in any second', 1),
  writesPerSecond: whole('writes in any second', 1),
  mergesPerSecond: whole('merges in any second', 1),
  ...SHARED_RULES,
} as const satisfies SwitchRules;

export type Switches = SwitchesOf<typeof RULES>;

export const attioSwitches = switchTable(RULES);

export function defaultSwitches(): Switches {
  return {
    limitOver: 'cut',
    tieOrder: 'stable',
    unsorted: 'created',
    timeFilters: 'nanoseconds',
    visibilityDelayMs: 0,
    lateShare: 1,
    lateGets: false,
    nullClears: true,
    conflictStatus: '400',
    conflictNames: 'slug',
    archivedValues: 'absent',
    equalValues: 'keep',
    merged: 'new',
    mergedCreatedAt: 'primary',
    mergeMs: 0,
    referenceOrder: 'stable',
    deletedTargets: 'gone',
    scoreBudget: 0,
    titles: 'exact',
    precision: 'ms',
    relationshipForm: 'full',
    tokenLevel: 'workspace',
    enriches: false,
    enrichmentMs: 500,
    draftSeconds: 118,
    webhookTargets: 'https',
    webhookRetryMs: 1_000,
    webhookDelayMs: 0,
    webhookCopies: 1,
    readsPerSecond: 100,
    writesPerSecond: 25,
    mergesPerSecond: 5,
    clockSkewMs: 0,
    latencyMs: 0,
  };
}
