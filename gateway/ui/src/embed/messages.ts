/** The messages between us and the Pulse front end around us, version 1. Pure: judges, never acts. */
import type { ColorMode, Palette, Theme } from '../api/types';
import { parseHex } from '../theme/contrast';

export type ToParent =
  | { type: 'pulse-etl:ready'; version: 1; path: string }
  | { type: 'pulse-etl:auth-required'; version: 1 }
  | { type: 'pulse-etl:navigate'; version: 1; path: string }
  | { type: 'pulse-etl:navigate'; version: 1; url: string }
  | { type: 'pulse-etl:resize'; version: 1; height: number }
  | { type: 'pulse-etl:notify'; version: 1; level: 'info' | 'error'; text: string };

export type FromParent =
  | { type: 'token'; token: string; returnUrl: string | null }
  | { type: 'theme'; theme: Theme | null; colorMode: ColorMode | null; palette: Palette | null }
  | { type: 'logout' };

/** Where a message must come from to be listened to. */
export interface Trust {
  origins: readonly string[];
  parent: unknown;
}

interface Incoming {
  origin: string;
  source: unknown;
  data: unknown;
}

/** The message if it comes from the parent itself, of an origin we trust to the letter, and makes sense; else null. */
export function heard(message: Incoming, trust: Trust): FromParent | null {
  if (message.source === null || message.source !== trust.parent) return null;
  if (!trust.origins.includes(message.origin)) return null;
  if (message.data === null || typeof message.data !== 'object') return null;
  return understood(message.data as Record<string, unknown>);
}

function understood(data: Record<string, unknown>): FromParent | null {
  switch (data['type']) {
    case 'pulse:token':
      return token(data);
    case 'pulse:theme':
      return theme(data['theme'], data['colorMode'], data['colors']);
    case 'THEME_UPDATE':
      return theme(data['theme'], data['colorSchemaMode'], data['colorSchema']);
    case 'pulse:logout':
      return { type: 'logout' };
    default:
      return null;
  }
}

function token(data: Record<string, unknown>): FromParent | null {
  const { token, return_url: returnUrl } = data;
  if (typeof token !== 'string' || token === '') return null;
  return { type: 'token', token, returnUrl: typeof returnUrl === 'string' ? returnUrl : null };
}

function theme(name: unknown, mode: unknown, colors: unknown): FromParent | null {
  const wanted = {
    theme: name === 'light' || name === 'dark' ? (name as Theme) : null,
    colorMode: mode === 'default' || mode === 'custom' ? (mode as ColorMode) : null,
    palette: palette(colors),
  };
  return wanted.theme || wanted.colorMode || wanted.palette ? { type: 'theme', ...wanted } : null;
}

/** Only plain hex colours under known names: the text of a style is never taken from outside. */
function palette(colors: unknown): Palette | null {
  if (colors === null || typeof colors !== 'object') return null;
  const kept = Object.entries(colors).filter(
    ([name, color]) => /^(on_)?color[1-5]$/.test(name) && typeof color === 'string' && parseHex(color) !== null,
  );
  return kept.length === 0 ? null : (Object.fromEntries(kept) as Palette);
}

/** The origin to address the parent by: the one it has, if that is trusted. */
export function addressee(parentOrigin: string | null, origins: readonly string[]): string | null {
  return parentOrigin !== null && origins.includes(parentOrigin) ? parentOrigin : null;
}

/** A link back to the front end: only over http(s), and only to an origin we trust. */
export function returnLink(url: string | null, origins: readonly string[]): string | null {
  if (!url || !URL.canParse(url)) return null;
  const { protocol, origin, href } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') return null;
  return origins.includes(origin) ? href : null;
}
