import type { ColorMode, Palette, Session, Theme } from '../api/types';
import { corrected, textOn, tint } from './contrast';

const grounds: Record<Theme, { surface: string; ground: string }> = {
  light: { surface: '#ffffff', ground: '#f6f7f9' },
  dark: { surface: '#161b23', ground: '#0e1218' },
};

const accentProperties = ['--accent', '--accent-hover', '--accent-wash', '--on-accent'] as const;

/** Light or dark, and whose colours: the address says first, then the parent page, then the session. */
class Look {
  theme = $state<Theme>(document.documentElement.dataset['theme'] === 'dark' ? 'dark' : 'light');
  colorMode = $state<ColorMode>('default');
  #colors: Session['colors'] = null;
  /** What is decided and stays so, whatever the session says. */
  readonly #asked = new URLSearchParams(location.search);

  /** What the session knows, where the address did not already decide. */
  fromSession(session: Session): void {
    this.#colors = session.colors;
    if (!isTheme(this.#asked.get('theme'))) this.theme = session.theme;
    const mode = this.#asked.get('colorMode');
    this.colorMode = isColorMode(mode) ? mode : session.color_mode;
    this.#apply();
  }

  /** What the parent page decides while we are open. */
  fromParent(theme: Theme | null, mode: ColorMode | null, palette: Palette | null): void {
    if (theme) {
      this.theme = theme;
      this.#asked.set('theme', theme);
    }
    if (mode) {
      this.colorMode = mode;
      this.#asked.set('colorMode', mode);
    }
    if (palette) this.#colors = { ...this.#colors, [this.theme]: palette };
    this.#apply();
  }

  #apply(): void {
    const root = document.documentElement;
    root.dataset['theme'] = this.theme;
    const accents = this.colorMode === 'custom' ? customAccents(this.#colors?.[this.theme], this.theme) : null;
    for (const property of accentProperties) {
      if (accents) root.style.setProperty(property, accents[property]);
      else root.style.removeProperty(property);
    }
  }
}

export type Accents = Record<(typeof accentProperties)[number], string>;

/** The client's first colour as our accent, corrected until it reads on our surfaces. */
export function customAccents(palette: Palette | undefined, theme: Theme): Accents | null {
  const first = palette?.color1;
  if (!first) return null;
  const { surface, ground } = grounds[theme];
  const wash = tint(first, surface, 0.1);
  const accent = wash && corrected(first, [surface, ground, wash]);
  if (!accent || !wash) return null;
  const pole = theme === 'light' ? '#000000' : '#ffffff';
  return {
    '--accent': accent,
    '--accent-hover': tint(pole, accent, 0.16) ?? accent,
    '--accent-wash': wash,
    '--on-accent': textOn(accent, palette?.on_color1),
  };
}

export const isTheme = (value: unknown): value is Theme => value === 'light' || value === 'dark';
export const isColorMode = (value: unknown): value is ColorMode => value === 'default' || value === 'custom';

export const look = new Look();
