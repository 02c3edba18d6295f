import { Problem } from './problem';

/** Something that is loaded, kept while it is loaded again, and remembers how old it is. */
export class Resource<T> {
  data = $state.raw<T | null>(null);
  problem = $state.raw<Problem | null>(null);
  loading = $state(false);
  /** When `data` arrived, in milliseconds since the epoch. */
  loadedAt = $state<number | null>(null);
  readonly #load: () => Promise<T>;
  #turn = 0;

  constructor(load: () => Promise<T>) {
    this.#load = load;
  }

  /** True when there is something to show that a newer try could not renew. */
  get stale(): boolean {
    return this.data !== null && this.problem !== null;
  }

  /** Loads anew; the answer of an overtaken try is dropped. Tells whether it arrived. */
  async reload(): Promise<boolean> {
    const turn = ++this.#turn;
    this.loading = true;
    try {
      const data = await this.#load();
      if (turn === this.#turn) this.#arrived(data);
      return true;
    } catch (thrown) {
      if (turn === this.#turn) this.problem = Problem.of(thrown);
      return false;
    } finally {
      if (turn === this.#turn) this.loading = false;
    }
  }

  /** Takes over what another answer already told. */
  put(data: T): void {
    this.#turn += 1;
    this.loading = false;
    this.#arrived(data);
  }

  /** Forgets everything, to load something else. */
  clear(): void {
    this.#turn += 1;
    this.data = null;
    this.problem = null;
    this.loading = false;
  }

  #arrived(data: T): void {
    this.data = data;
    this.problem = null;
    this.loadedAt = Date.now();
  }
}

/** Something that is loaded by a component, and anew whenever what `load` reads before it waits has changed. */
export function followed<T>(load: () => Promise<T>): Resource<T> {
  const resource = new Resource(load);
  $effect(() => void resource.reload());
  return resource;
}
