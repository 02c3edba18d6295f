import { en } from './en';

/** Every text of the page. A further language is another object of this shape. */
export type Messages = typeof en;

export const locale = 'en';
export const t: Messages = en;
