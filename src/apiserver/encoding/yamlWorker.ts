/** A thread of its own that reads one text as YAML. */
import { parentPort, workerData } from 'node:worker_threads';
import { readYaml, type YamlBody, YamlError } from '../verbs/yamlBody.ts';

/** What the thread says before it ends. */
export type YamlRead = { readonly body: YamlBody } | { readonly fault: string };

function read(text: string): YamlRead {
  try {
    return { body: readYaml(text) };
  } catch (error) {
    if (error instanceof YamlError) return { fault: error.message };
    throw error;
  }
}

parentPort?.postMessage(read(workerData as string));
