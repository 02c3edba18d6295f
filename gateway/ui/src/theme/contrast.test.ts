import { describe, expect, it } from 'vitest';

import { contrast, corrected, parseHex, readable, textOn, tint } from './contrast';

const rgb = (text: string) => {
  const color = parseHex(text);
  if (!color) throw new Error(`${text} is no colour`);
  return color;
};

it.each([
  ['#ffffff', '#000000', 21],
  ['#777777', '#ffffff', 4.48],
  ['#123456', '#123456', 1],
])('%s on %s has a contrast of %f', (one, other, expected) => {
  expect(contrast(rgb(one), rgb(other))).toBeCloseTo(expected, 1);
});

it.each([['red'], ['#12'], ['#12345'], ['url(#a)'], ['']])('%s is no colour', (text) => {
  expect(parseHex(text)).toBeNull();
});

it('reads short colours', () => {
  expect(parseHex('#f0a')).toEqual([255, 0, 170]);
});

describe('a corrected colour', () => {
  it('stays as it is when it can be read', () => {
    expect(corrected('#1d55a6', ['#ffffff'])).toBe('#1d55a6');
  });

  it.each([
    ['#ffd400', ['#ffffff', '#f6f7f9']],
    ['#e8710a', ['#ffffff', '#fdeee1']],
    ['#ffffff', ['#ffffff']],
    ['#101040', ['#161b23', '#0e1218']],
    ['#000000', ['#161b23']],
  ])('of %s can be read on %j', (color, grounds) => {
    const result = corrected(color, grounds);
    for (const ground of grounds) {
      expect(contrast(rgb(result ?? ''), rgb(ground))).toBeGreaterThanOrEqual(readable);
    }
  });

  it('is none for what is no colour', () => {
    expect(corrected('tomato', ['#ffffff'])).toBeNull();
  });
});

it.each([
  ['#2f4fd0', '#ffffff', '#ffffff'],
  ['#ffd400', '#ffffff', '#000000'],
  ['#10207a', undefined, '#ffffff'],
  ['#10207a', 'nonsense', '#ffffff'],
])('text on %s, offered %s, is %s', (ground, offered, text) => {
  expect(textOn(ground, offered)).toBe(text);
});

it('tints halfway', () => {
  expect(tint('#000000', '#ffffff', 0.5)).toBe('#808080');
});
