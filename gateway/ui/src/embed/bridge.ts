import { addressee, heard, type FromParent, type ToParent } from './messages';

/** The line to the page around us. Without a parent it is silent. */
export class Bridge {
  readonly #parent: Window | null = window.parent === window ? null : window.parent;
  readonly #parentOrigin = this.#parent ? originOfParent() : null;
  #origins: readonly string[] | null = null;

  /** The allow-list of the signed-in session. */
  trust(origins: readonly string[]): void {
    this.#origins = origins;
  }

  tell(message: ToParent): void {
    const target = addressee(this.#parentOrigin, this.#trusted());
    if (target) this.#parent?.postMessage(message, target);
  }

  listen(listener: (message: FromParent) => void): () => void {
    const onMessage = (event: MessageEvent) => {
      const message = heard(event, { origins: this.#trusted(), parent: this.#parent });
      if (message) listener(message);
    };
    window.addEventListener('message', onMessage);
    return () => window.removeEventListener('message', onMessage);
  }

  /** Tells the parent our height whenever it changes. */
  reportHeight(): () => void {
    let told = 0;
    const observer = new ResizeObserver(() => {
      const height = Math.ceil(document.body.getBoundingClientRect().height);
      if (height === told) return;
      told = height;
      this.tell({ type: 'pulse-etl:resize', version: 1, height });
    });
    observer.observe(document.body);
    return () => observer.disconnect();
  }

  /**
   * Before anyone is signed in no session names the allow-list. The `frame-ancestors` policy, made of that same list,
   * has then already decided that this parent may hold us.
   */
  #trusted(): readonly string[] {
    return this.#origins ?? (this.#parentOrigin ? [this.#parentOrigin] : []);
  }
}

function originOfParent(): string | null {
  const ancestor = location.ancestorOrigins?.[0];
  if (ancestor) return ancestor === 'null' ? null : ancestor;
  return URL.canParse(document.referrer) ? new URL(document.referrer).origin : null;
}
