/** Names that the server makes. */
import type { Random } from '../lib/random.ts';

/** No vowels and no digits that read as letters: no word comes about by chance. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;
const MAX_GENERATED_LENGTH = 63;

/** A random suffix in the alphabet that Kubernetes uses. */
export function randomSuffix(random: Random, length = SUFFIX_LENGTH): string {
  let s = '';
  for (let i = 0; i < length; i++) s += ALPHABET[random.integer(ALPHABET.length)];
  return s;
}

/** `metadata.generateName` with a suffix, cut so that the whole fits in a DNS label. */
export function generateName(base: string, random: Random): string {
  return base.slice(0, MAX_GENERATED_LENGTH - SUFFIX_LENGTH) + randomSuffix(random);
}

/** Digits of a hash in that alphabet, so that a hash can be part of a name. */
export function safeEncode(text: string): string {
  let s = '';
  for (const c of text) s += ALPHABET[c.charCodeAt(0) % ALPHABET.length];
  return s;
}
