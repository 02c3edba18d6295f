import { t } from '../messages';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** A length of time in at most two units: "45 s", "2 h 14 min", "3.2 days". */
export function duration(seconds: number): string {
  const { units } = t;
  if (seconds > 0 && seconds < 1) return units.underASecond;
  if (seconds < 59.5) return units.seconds(Math.round(seconds));
  if (seconds < hour - 30)
    return twoUnits(seconds, minute, 1, units.minutes, seconds < 10 * minute ? units.seconds : null);
  if (seconds < day - 30) return twoUnits(seconds, hour, minute, units.hours, units.minutes);
  const days = seconds / day;
  return units.days(days < 10 ? Math.round(days * 10) / 10 : Math.round(days));
}

function twoUnits(
  seconds: number,
  big: number,
  small: number,
  bigUnit: (n: number) => string,
  smallUnit: ((n: number) => string) | null,
): string {
  if (!smallUnit) return bigUnit(Math.round(seconds / big));
  const smalls = Math.round(seconds / small);
  const perBig = big / small;
  const rest = smalls % perBig;
  const whole = bigUnit(Math.floor(smalls / perBig));
  return rest === 0 ? whole : `${whole} ${smallUnit(rest)}`;
}

/** An estimate, as rough as it deserves: to ten seconds, and from a minute on to whole minutes. */
export function roughly(seconds: number): number {
  const step = seconds < minute ? 10 : minute;
  return Math.max(step, Math.round(seconds / step) * step);
}

/** How long ago, or how soon, in one unit: "just now", "12 min ago", "in 3 h". */
export function relative(at: number, now: number): string {
  const seconds = Math.round((at - now) / 1000);
  const size = Math.abs(seconds);
  if (size < 5) return t.time.justNow;
  const text = oneUnit(size);
  return seconds < 0 ? t.time.ago(text) : t.time.in(text);
}

function oneUnit(seconds: number): string {
  const { units } = t;
  if (seconds < minute) return units.seconds(seconds);
  if (seconds < hour) return units.minutes(Math.floor(seconds / minute));
  if (seconds < day) return units.hours(Math.floor(seconds / hour));
  return units.days(Math.floor(seconds / day));
}
