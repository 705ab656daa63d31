/** When the service does what no setting says. */
export const DUE = {
  schemaCheck: '*/5 * * * *',
  housekeeping: '17 3 * * *',
  /** Pages of a sweep are due one by one: how often one looks decides how evenly they are spread. */
  sweeps: '*/15 * * * * *',
  /** Users are due daily; this is how soon a failure, or a change of leader, is made up for. */
  users: '*/5 * * * *',
  /** How soon entries are freed that a clock set back has put off. */
  waits: '15 * * * * *',
  recordings: '30 * * * * *',
} as const;
