/** What a screen reader hears: the latest sentence, and never more often than every five seconds. */
class Announcer {
  text = $state('');
  #next: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  say(text: string): void {
    if (this.#timer !== undefined) {
      this.#next = text;
      return;
    }
    this.text = text;
    this.#timer = setTimeout(() => this.#pause(), 5000);
  }

  #pause(): void {
    this.#timer = undefined;
    const next = this.#next;
    this.#next = null;
    if (next !== null && next !== this.text) this.say(next);
  }
}

export const announcer = new Announcer();
