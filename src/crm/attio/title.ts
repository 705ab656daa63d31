export const TITLE = 'Attio';
