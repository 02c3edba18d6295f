import { locale } from '../messages';

const moment = new Intl.DateTimeFormat(locale, {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});
const exactMoment = new Intl.DateTimeFormat(locale, {
  dateStyle: 'medium',
  timeStyle: 'long',
  hourCycle: 'h23',
});
const timeOfDay = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const date = new Intl.DateTimeFormat(locale, { year: 'numeric', month: 'short', day: 'numeric', timeZone: 'UTC' });
const dayAndMonth = new Intl.DateTimeFormat(locale, { month: 'short', day: 'numeric', timeZone: 'UTC' });

/** "Mar 4, 2026, 14:05" in the reader's time zone. */
export const atMinute = (at: string): string => moment.format(new Date(at));

/** The same to the second, with the zone: for a tooltip. */
export const exactly = (at: string): string => exactMoment.format(new Date(at));

/** "14:05", for a moment of today. */
export const clockTime = (at: string): string => timeOfDay.format(new Date(at));

/** A calendar day the server already cut in the client's zone: "Mar 4, 2026". */
export const calendarDay = (day: string): string => date.format(new Date(`${day.slice(0, 10)}T00:00:00Z`));

/** The same without the year: "Mar 4". */
export const shortDay = (day: string): string => dayAndMonth.format(new Date(`${day.slice(0, 10)}T00:00:00Z`));

/** The day `days` before today in UTC, as an ISO date. */
export function daysBefore(days: number, now: Date): string {
  const from = new Date(now);
  from.setUTCDate(from.getUTCDate() - days);
  return from.toISOString().slice(0, 10);
}

/** The days that a window covers in its own time zone: "Mar 4 – Jun 2, 2026". */
export function daysOf({ from, to, timezone }: { from: string; to: string; timezone: string }): string {
  const days = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: knownZone(timezone) });
  return days.formatRange(new Date(from), new Date(to));
}

/** The day of a moment in a zone, as an ISO date. */
export const dayIn = (timezone: string, at: string): string =>
  new Intl.DateTimeFormat('en-CA', { dateStyle: 'short', timeZone: knownZone(timezone) }).format(new Date(at));

/** The zone if this browser knows it: an older one may not. */
function knownZone(zone: string): string {
  try {
    return new Intl.DateTimeFormat(locale, { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return 'UTC';
  }
}
