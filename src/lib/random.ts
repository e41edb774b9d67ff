/** Chance, handed in, so that one seed replays a run. */
import { randomBytes } from 'node:crypto';

export interface Random {
  /** A number in [0, 1). */
  float(): number;
  /** A whole number in [0, below). */
  integer(below: number): number;
  /** A version 4 UUID (RFC 9562). */
  uuid(): string;
}

/** The operating system's randomness for UUIDs, the engine's for the rest. */
export class SystemRandom implements Random {
  float(): number {
    return Math.random();
  }

  integer(below: number): number {
    return Math.floor(Math.random() * below);
  }

  uuid(): string {
    return globalThis.crypto.randomUUID();
  }
}

/** A small, fast generator (mulberry32) that gives the same sequence for the same seed. */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number = randomBytes(4).readUInt32LE()) {
    this.#state = seed >>> 0;
  }

  float(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  integer(below: number): number {
    return Math.floor(this.float() * below);
  }

  uuid(): string {
    const hex = Array.from({ length: 32 }, () => this.integer(16).toString(16));
    hex[12] = '4';
    hex[16] = (8 + this.integer(4)).toString(16);
    const s = hex.join('');
    return `${s.slice(0, 8)}-${s.slice(8, 12)}-${s.slice(12, 16)}-${s.slice(16, 20)}-${s.slice(20)}`;
  }
}
