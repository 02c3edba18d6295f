/** One value of a series. */
export interface Point {
  /** Short, for the axis. */
  label: string;
  /** In full, for the table and the pointer. */
  title: string;
  /** Null where there is nothing to measure. */
  value: number | null;
  /** The window holds only a part of its time. */
  cut: boolean;
}
