/** Runs a program to its end. */
import { spawn } from 'node:child_process';

/** Resolves with what it printed. @throws Error with what it says where it fails */
export type Run = (program: string, args: readonly string[], input?: string) => Promise<string>;

/** The kernel's tools answer within seconds, even for ten thousand services. */
const DEADLINE_MS = 120_000;

export function runTool(program: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: DEADLINE_MS });
    const out: Buffer[] = [];
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      if (said.length < 2000) said += chunk.toString('utf8');
    });
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0
        ? resolve(Buffer.concat(out).toString('utf8'))
        : reject(new Error(`${program}: ${said.trim() || `exit ${code}`}`)),
    );
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
