/**
 * The program that holds a pod's namespaces: it waits, buries orphaned children, and leaves on
 * SIGTERM or SIGINT. Ninety-four bytes of machine code, so that no compiler is needed to make it.
 */

/**
 * x86-64, in words:
 *   block SIGINT, SIGTERM and SIGCHLD (rt_sigprocmask);
 *   wait for one of them (rt_sigtimedwait); interrupted: wait again;
 *   SIGCHLD: wait4(-1, WNOHANG) until nobody is left, wait again; else exit(0).
 */
const X86_64 =
  'b802400100504889e631ff31d241ba08000000b80e0000000f054889e731f631d241ba08000000b8800000000f0583f811740d' +
  '85c078e331ffb83c0000000f0548c7c7ffffffff31f6ba010000004531d2b83d0000000f0585c07fe4ebbc';

const CODE: Readonly<Record<string, { machine: number; code: string }>> = {
  x64: { machine: 62, code: X86_64 },
};

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const LOAD_ADDRESS = 0x400000n;

/** A static ELF executable; undefined for a processor that it was not written for. */
export function pauseProgram(arch: string = process.arch): Buffer | undefined {
  const known = CODE[arch];
  if (known === undefined) return undefined;
  const code = Buffer.from(known.code, 'hex');
  const start = HEADER_BYTES + PROGRAM_HEADER_BYTES;
  const size = BigInt(start + code.length);
  const file = Buffer.alloc(start);
  // ELF, 64 bits, little endian, version 1
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  file.writeUInt16LE(2, 16); // executable
  file.writeUInt16LE(known.machine, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(LOAD_ADDRESS + BigInt(start), 24); // entry
  file.writeBigUInt64LE(BigInt(HEADER_BYTES), 32); // program headers
  file.writeUInt16LE(HEADER_BYTES, 52);
  file.writeUInt16LE(PROGRAM_HEADER_BYTES, 54);
  file.writeUInt16LE(1, 56);
  // one segment: load the whole file, readable and executable
  file.writeUInt32LE(1, 64);
  file.writeUInt32LE(5, 68);
  file.writeBigUInt64LE(LOAD_ADDRESS, 80);
  file.writeBigUInt64LE(LOAD_ADDRESS, 88);
  file.writeBigUInt64LE(size, 96);
  file.writeBigUInt64LE(size, 104);
  file.writeBigUInt64LE(0x1000n, 112);
  return Buffer.concat([file, code]);
}

/** Where the program cannot be used: the same in a shell that buries its children while it waits. */
export const PAUSE_SCRIPT = 'trap "exit 0" TERM INT; while :; do sleep 2147483647 & wait $!; done';
