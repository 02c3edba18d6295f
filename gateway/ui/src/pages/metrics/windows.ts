export const windows = [30, 90, 180];
export const usualWindow = 90;

/** The days that an address asks for, which anyone may have typed. */
export function windowFrom(text: string | null): number {
  const days = Number(text);
  return windows.includes(days) ? days : usualWindow;
}
