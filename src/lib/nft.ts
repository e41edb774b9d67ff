/** The kernel's packet filter. Source: nft(8) */
import { type Run, runTool } from './runTool.ts';

/** Runs one script as a whole. @throws Error with what nft says */
export async function nft(script: string, run: Run = runTool): Promise<void> {
  await run('nft', ['-f', '-'], script);
}
