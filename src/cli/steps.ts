/** Shows steps as they happen: a spinner that becomes a tick on a terminal, plain lines elsewhere. */
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 80;

interface Ticker {
  after(ms: number, fn: () => void, options?: { ref?: boolean }): { cancel(): void };
}

export class Steps {
  readonly #out: NodeJS.WriteStream;
  readonly #clock: Ticker;
  #current: string | undefined;
  #timer: { cancel(): void } | undefined;
  #frame = 0;

  constructor(out: NodeJS.WriteStream, clock: Ticker) {
    this.#out = out;
    this.#clock = clock;
  }

  begin(step: string): void {
    this.#current = step;
    if (this.#out.isTTY) this.#spin();
  }

  done(step: string): void {
    this.#stopSpinner();
    this.#out.write(this.#out.isTTY ? `\r\x1b[K\x1b[32m✓\x1b[0m ${step}\n` : `✓ ${step}\n`);
    this.#current = undefined;
  }

  failed(): void {
    this.#stopSpinner();
    if (this.#current === undefined) return;
    this.#out.write(this.#out.isTTY ? `\r\x1b[K\x1b[31m✗\x1b[0m ${this.#current}\n` : `✗ ${this.#current}\n`);
    this.#current = undefined;
  }

  #spin(): void {
    this.#out.write(`\r\x1b[K${FRAMES[this.#frame++ % FRAMES.length]} ${this.#current ?? ''}`);
    this.#timer?.cancel();
    this.#timer = this.#clock.after(FRAME_MS, () => this.#spin());
  }

  #stopSpinner(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
