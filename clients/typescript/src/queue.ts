// What came and was not taken yet.

/** Values in the order in which they come, until it fails. */
export class Queue<T> {
  readonly #values: T[] = [];
  #failure: { reason: unknown } | undefined;
  #wake: (() => void) | undefined;

  push(value: T): void {
    this.#values.push(value);
    this.#wake?.();
  }

  /** After what has come, there is only this. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#wake?.();
  }

  /** The next one, for one caller at a time. Rejects with the reason of the failure. */
  async next(): Promise<T> {
    for (;;) {
      if (this.#values.length > 0) return this.#values.shift() as T;
      if (this.#failure) throw this.#failure.reason;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
