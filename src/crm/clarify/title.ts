export const TITLE = 'Clarify';
