export type Interval = 'off' | '30' | '60' | '300';

const key = 'pulse-etl.auto-refresh';
const usual: Interval = '30';

/** The interval this browser was told last. A frame without storage starts with the usual one. */
export function remembered(): Interval {
  const kept = storage()?.getItem(key);
  return kept === 'off' || kept === '30' || kept === '60' || kept === '300' ? kept : usual;
}

export function remember(interval: Interval): void {
  storage()?.setItem(key, interval);
}

/** Browsers may refuse storage to framed pages by throwing. */
function storage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
