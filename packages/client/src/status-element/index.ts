export { defineStatusElement, StatusElement } from './status-element.ts';
export type { StatusWords } from './words.ts';
