const firstMs = 500;
const mostMs = 30_000;

/** How long to wait before the next try: doubling up to half a minute, spread so that pages do not return as one. */
export function backoffMs(failures: number, random: number): number {
  const whole = Math.min(mostMs, firstMs * 2 ** Math.min(failures, 16));
  return Math.round(whole * (0.5 + random / 2));
}
