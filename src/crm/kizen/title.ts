export const TITLE = 'Kizen';
