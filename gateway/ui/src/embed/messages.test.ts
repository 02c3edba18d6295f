import { describe, expect, it } from 'vitest';

import { addressee, heard, returnLink } from './messages';

const parent = { parent: true };
const origins = ['https://pulse.example.com'];
const trust = { origins, parent };
const token = { type: 'pulse:token', token: 'abc' };
const from = (data: unknown, more: object = {}) => ({
  origin: 'https://pulse.example.com',
  source: parent,
  data,
  ...more,
});

describe('a message', () => {
  it.each([
    ['the token', token, { type: 'token', token: 'abc', returnUrl: null }],
    [
      'a theme',
      { type: 'pulse:theme', theme: 'dark' },
      { type: 'theme', theme: 'dark', colorMode: null, palette: null },
    ],
    [
      'the old theme update',
      { type: 'THEME_UPDATE', theme: 'light', colorSchema: { color1: '#ff0000' }, colorSchemaMode: 'custom' },
      { type: 'theme', theme: 'light', colorMode: 'custom', palette: { color1: '#ff0000' } },
    ],
    ['a logout', { type: 'pulse:logout' }, { type: 'logout' }],
  ])('from the parent tells %s', (_, data, message) => {
    expect(heard(from(data), trust)).toEqual(message);
  });

  it.each([
    ['another origin', from(token, { origin: 'https://evil.example.com' })],
    ['an origin that only begins like ours', from(token, { origin: 'https://pulse.example.com.evil.org' })],
    ['another scheme', from(token, { origin: 'http://pulse.example.com' })],
    ['another port', from(token, { origin: 'https://pulse.example.com:8443' })],
    ['a sandboxed page', from(token, { origin: 'null' })],
    ['a window that is not the parent', from(token, { source: { parent: false } })],
    ['nowhere', from(token, { source: null })],
  ])('from %s is ignored', (_, message) => {
    expect(heard(message, trust)).toBeNull();
  });

  it.each([
    [null],
    ['pulse:token'],
    [{}],
    [{ type: 'pulse:token' }],
    [{ type: 'pulse:token', token: '' }],
    [{ type: 'pulse:token', token: { toString: 'abc' } }],
    [{ type: 'pulse:theme', theme: 'hotdog' }],
    [{ type: 'pulse:theme', colors: { color1: 'url(https://evil.example.com)' } }],
    [{ type: 'pulse:theme', colors: { background: '#ff0000' } }],
    [{ type: 'pulse:eval', code: 'alert(1)' }],
  ])('of %j is ignored', (data) => {
    expect(heard(from(data), trust)).toBeNull();
  });

  it('is ignored when there is no parent', () => {
    expect(heard(from(token, { source: null }), { origins, parent: null })).toBeNull();
  });
});

describe('the addressee', () => {
  it.each([
    ['https://pulse.example.com', 'https://pulse.example.com'],
    ['https://evil.example.com', null],
    ['null', null],
    [null, null],
  ])('for a parent at %s is %s', (parentOrigin, target) => {
    expect(addressee(parentOrigin, origins)).toBe(target);
  });
});

describe('the way back', () => {
  it.each([
    ['https://pulse.example.com/home?x=1', 'https://pulse.example.com/home?x=1'],
    ['https://evil.example.com/', null],
    ['https://pulse.example.com@evil.example.com/', null],
    ['//evil.example.com', null],
    ['javascript:alert(1)', null],
    ['data:text/html,x', null],
    ['/home', null],
    ['', null],
    [null, null],
  ])('of %s is %s', (url, link) => {
    expect(returnLink(url, origins)).toBe(link);
  });
});
