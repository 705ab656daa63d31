import {
  BOOLEAN,
  oneOf,
  SHARED_RULES,
  type SwitchesOf,
  type SwitchRules,
  switchTable,
  whole,
} from '../kernel/switches.ts';

const CLEARS = ['both', 'empty', 'null'] as const;
const SHARE = { min: 0, max: 1 } as const;

/** Everything the sources leave open about the server, and what else tests like to vary. */
const RULES = {
  budgetScope: oneOf(
    ['one', 'endpoint'],
    'the hundred an hour is one budget, or each endpoint has its own',
  ),
  headersTell: oneOf(
    ['second', 'hour', 'scarcer'],
    'which of the two windows of contacts the headers tell of; the one with less left',
  ),
  budgetWindow: oneOf(
    ['fixed', 'rolling'],
    'a window begins with its first request and ends as a whole, or requests leave it one by one',
  ),
  contactsPerSecond: whole('requests under /contacts in a second; 0 for no end'),
  contactsPerHour: whole('requests under /contacts in an hour; 0 for no end'),
  othersPerHour: whole('all other requests in an hour; 0 for no end'),
  contactsPageMax: whole('largest `limit` of contacts', 1),
  crmPageMax: whole('largest `limit` of companies and of deals', 1),
  recordsPageMax: whole('largest `limit` of records', 1),
  limitOver: oneOf(['refuse', 'cut'], 'a `limit` beyond the largest: a 400, or a smaller page'),
  recordSort: oneOf(['created', 'updated'], 'by what `sort` sorts records'),
  sinceBounds: oneOf(
    ['inclusive', 'strict'],
    'whether `modifiedSince` and `createdSince` take in the time itself',
  ),
  stamps: oneOf(['ms', 's'], 'how fine the times are that the server gives, and compares'),
  zone: oneOf(
    ['Europe/Paris', 'Asia/Kolkata', 'America/New_York', 'Pacific/Auckland', 'UTC'],
    "the account's time zone",
  ),
  zonelessTimes: oneOf(['account', 'utc'], 'the zone of a time that names none'),
  linksMove: oneOf(
    ['none', 'owner', 'both'],
    'whose time of change moves when companies and deals are linked: of nobody, of the one named in the request, of both ends',
  ),
  recordLinksMove: oneOf(BOOLEAN, 'a link or unlink moves the `updatedAt` of a record'),
  contactsClear: oneOf(CLEARS, 'what clears a contact\'s attribute: `""`, null, or both'),
  crmClear: oneOf(CLEARS, 'the same of companies and deals'),
  recordsClear: oneOf(CLEARS, 'the same of records'),
  noValue: oneOf(['absent', 'null'], 'an attribute without a value'),
  visibilityDelayMs: whole('how long a write stays out of lists'),
  lateShare: { ...SHARE, about: 'which share of the writes is delayed' },
  lateGets: oneOf(BOOLEAN, 'a GET of one contact, company or deal is as late as lists are'),
  jobOrder: oneOf(['queue', 'parallel'], 'jobs wait for each other, or run side by side'),
  jobStatus: oneOf(['in_process', 'processing'], 'what a job is while it runs'),
  queueMs: whole('how long a job is queued before it runs'),
  jobMs: whole('how long a job runs; half of it is carried out half-way'),
  jobEnds: oneOf(['completed', 'failed', 'cancelled'], 'how jobs end, or a share of them'),
  jobEndShare: { ...SHARE, about: 'which share of the jobs ends so; the others are completed' },
  brokenJobs: oneOf(
    ['half', 'nothing'],
    'what a failed or cancelled job has carried out: its first half, or nothing',
  ),
  dropShare: { ...SHARE, about: 'which share of the records a completed job has dropped' },
  bareRecords: oneOf(['drop', 'take'], 'a record without attributes'),
  bareDates: oneOf(['drop', 'take'], 'a date without a time of day, as a date of a record'),
  bodyMax: whole('bytes of a body of records', 1),
  bodyOver: oneOf(['413', '400'], 'what a larger body is answered'),
  oddAttributes: oneOf(
    ['ignore', 'refuse'],
    'an attribute of a company or deal that is unknown or read-only',
  ),
  stageAlone: oneOf(['refuse', 'ignore'], 'a stage without its pipeline, or the reverse'),
  sameEmail: oneOf(['refuse', 'take'], "an update that names the contact's own e-mail"),
  contactsBatch: oneOf(['gone', 'present'], 'whether contacts/batch still answers'),
  emailCase: oneOf(['lower', 'kept'], 'the case of e-mails'),
  categoryForm: oneOf(
    ['value', 'text'],
    'a category of a contact: a number where it is one, or always text',
  ),
  earlyShare: { ...SHARE, about: 'which share of the creates of contacts comes too early' },
  listRepeats: oneOf(
    ['take', 'refuse'],
    'to put contacts on a list, or take them off, of which every one is there already',
  ),
  danglingLinks: oneOf(['refuse', 'ignore'], 'a company or deal linked to what does not exist'),
  unknownObject: oneOf(['404', '400'], 'what an unknown object type is answered'),
  objectErrors: oneOf(['body', 'none'], 'whether refusals of the calls for objects have a body'),
  associationsShown: oneOf(
    ['newest', 'oldest', 'shuffled'],
    'which five associations a list of records shows',
  ),
  standardIds: oneOf(
    ['number', 'same'],
    'the `id` of a company or deal among associations: a number of its own, or its id',
  ),
  revived: oneOf(
    ['new', 'same'],
    'what a deleted record that is written by `ext_id` becomes: a new one, or itself',
  ),
  ...SHARED_RULES,
} as const satisfies SwitchRules;

export type Switches = SwitchesOf<typeof RULES>;

export const brevoSwitches = switchTable(RULES);

/** What every account may ask: beside it the higher rates of larger plans. */
export const tiers = {
  standard: { contactsPerSecond: 10, contactsPerHour: 36_000, othersPerHour: 100 },
  advanced: { contactsPerSecond: 20, contactsPerHour: 72_000, othersPerHour: 200 },
  extended: { contactsPerSecond: 60, contactsPerHour: 0, othersPerHour: 600 },
} as const satisfies Readonly<Record<string, Partial<Switches>>>;

export function defaultSwitches(): Switches {
  return {
    ...tiers.standard,
    budgetScope: 'one',
    headersTell: 'second',
    budgetWindow: 'fixed',
    contactsPageMax: 1_000,
    crmPageMax: 500,
    recordsPageMax: 500,
    limitOver: 'refuse',
    recordSort: 'created',
    sinceBounds: 'inclusive',
    stamps: 'ms',
    zone: 'Europe/Paris',
    zonelessTimes: 'account',
    linksMove: 'none',
    recordLinksMove: false,
    contactsClear: 'empty',
    crmClear: 'both',
    recordsClear: 'both',
    noValue: 'absent',
    visibilityDelayMs: 0,
    lateShare: 1,
    lateGets: false,
    jobOrder: 'queue',
    jobStatus: 'in_process',
    queueMs: 0,
    jobMs: 200,
    jobEnds: 'completed',
    jobEndShare: 1,
    brokenJobs: 'half',
    dropShare: 0,
    bareRecords: 'drop',
    bareDates: 'drop',
    bodyMax: 1_000_000,
    bodyOver: '413',
    oddAttributes: 'ignore',
    stageAlone: 'refuse',
    sameEmail: 'refuse',
    contactsBatch: 'gone',
    emailCase: 'lower',
    categoryForm: 'value',
    earlyShare: 0,
    listRepeats: 'take',
    danglingLinks: 'refuse',
    unknownObject: '404',
    objectErrors: 'body',
    associationsShown: 'newest',
    standardIds: 'number',
    revived: 'new',
    clockSkewMs: 0,
    latencyMs: 0,
  };
}
