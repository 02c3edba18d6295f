/** Colours as people see them: contrast by the WCAG 2 formula, and colours corrected until they can be read. */

type Rgb = readonly [number, number, number];

export const readable = 4.5;

const black: Rgb = [0, 0, 0];
const white: Rgb = [255, 255, 255];

/** `#rgb` or `#rrggbb`; anything else is no colour to us. */
export function parseHex(text: string): Rgb | null {
  const long = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text.trim());
  if (long) return [hex(long[1]), hex(long[2]), hex(long[3])];
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(text.trim());
  if (short) return [hex(short[1]) * 17, hex(short[2]) * 17, hex(short[3]) * 17];
  return null;
}

/** From 1 (the same) to 21 (black on white). */
export function contrast(one: Rgb, other: Rgb): number {
  const [bright, dim] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (bright + 0.05) / (dim + 0.05);
}

/** The colour itself if it can be read on every ground, else the nearest mix towards black or white that can. */
export function corrected(color: string, grounds: string[]): string | null {
  const wanted = parseHex(color);
  const behind = grounds.map(parseHex).filter((ground) => ground !== null);
  if (!wanted) return null;
  const pole = behind.every((ground) => luminance(ground) > 0.18) ? black : white;
  for (let share = 0; share <= 1; share += 0.02) {
    const mixed = mix(wanted, pole, share);
    if (behind.every((ground) => contrast(mixed, ground) >= readable)) return format(mixed);
  }
  return format(pole);
}

/** The offered colour for text on a ground if it can be read there, else black or white. */
export function textOn(ground: string, offered: string | undefined): string {
  const behind = parseHex(ground) ?? black;
  const wanted = offered === undefined ? null : parseHex(offered);
  if (wanted && contrast(wanted, behind) >= readable) return format(wanted);
  return contrast(white, behind) >= contrast(black, behind) ? '#ffffff' : '#000000';
}

/** A share of one colour laid over another. */
export function tint(color: string, ground: string, share: number): string | null {
  const over = parseHex(color);
  const under = parseHex(ground);
  return over && under ? format(mix(under, over, share)) : null;
}

function luminance([r, g, b]: Rgb): number {
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

function linear(channel: number): number {
  const part = channel / 255;
  return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
}

function mix(from: Rgb, to: Rgb, share: number): Rgb {
  const channel = (at: 0 | 1 | 2) => Math.round(from[at] + (to[at] - from[at]) * share);
  return [channel(0), channel(1), channel(2)];
}

function format(color: Rgb): string {
  return `#${color.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

function hex(digits: string | undefined): number {
  return Number.parseInt(digits ?? '0', 16);
}
