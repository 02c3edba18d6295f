import { locale, t } from '../messages';
import type { Unit } from '../api/types';
import { duration } from './duration';

const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const fine = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
const percentage = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 });
const wholePercentage = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 });

/** A count of things: "12,480". */
export const count = (n: number): string => whole.format(n);

/** A rate of rows: "840" or, when slow, "3.4". */
export const rate = (n: number): string => (n < 10 ? short : whole).format(n);

/** A number of any kind, to two decimals. */
export const exact = (n: number): string => fine.format(n);

/** A share as a percentage: 0.125 is "12.5%". */
export const share = (n: number): string => percentage.format(n);

/** How far something is, from 0 to 100: "45%". */
export const progress = (n: number): string => wholePercentage.format(Math.floor(n) / 100);

/** A metric's value with its unit. */
export function measured(value: number, unit: Unit): string {
  switch (unit) {
    case 'days_per_week':
      return t.units.daysPerWeek(short.format(value), value);
    case 'seconds':
      return duration(value);
    case 'ratio':
      return share(value);
    default:
      return t.units.things[unit](short.format(value), value);
  }
}

export interface Change {
  direction: 'up' | 'down' | 'same';
  /** The size of the change, relative to the earlier value where that is not zero. */
  text: string;
}

/** How a value moved against the previous window; ratios move in percentage points. */
export function change(value: number, previous: number, unit: Unit): Change {
  const difference = value - previous;
  const size = Math.abs(difference);
  const direction = difference > 0 ? 'up' : 'down';
  if (unit === 'ratio') {
    const points = Math.round(size * 1000) / 10;
    return points === 0 ? same : { direction, text: t.units.points(short.format(points)) };
  }
  if (difference === 0) return same;
  if (previous === 0) return { direction, text: measured(size, unit) };
  const relative = size / previous;
  return relative < 0.005 ? same : { direction, text: wholePercentage.format(relative) };
}

const same: Change = { direction: 'same', text: '' };
