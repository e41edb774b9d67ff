/** The little that the kubelet's server needs to know of the pods on its node. */

export interface ContainerView {
  readonly id: string;
  readonly running: boolean;
  /** absolute path of the log of this run */
  readonly logPath: string;
  /** absolute path of the log of the run before, while it is kept */
  readonly previousLogPath?: string;
  readonly tty: boolean;
}

export interface PodView {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** absent while the pod has no sandbox */
  readonly sandboxId?: string;
  /** the latest run of each container by name; a container that never ran is not in it */
  readonly containers: ReadonlyMap<string, ContainerView>;
  /** names in the spec: regular, init and ephemeral */
  readonly containerNames: readonly string[];
}

export interface PodViews {
  find(namespace: string, name: string): PodView | undefined;
  /** every pod on the node as the API has it, for `/pods` */
  list(): readonly unknown[];
  /** every pod that the container runtime has running, for `/runningpods` */
  running(): readonly unknown[];
}

/** The runtime's streaming calls; each gives a one-time URL on loopback. */
export interface StreamingRuntime {
  exec(request: {
    containerId: string;
    command: readonly string[];
    tty: boolean;
    stdin: boolean;
    stdout: boolean;
    stderr: boolean;
  }): Promise<string>;
  attach(request: {
    containerId: string;
    tty: boolean;
    stdin: boolean;
    stdout: boolean;
    stderr: boolean;
  }): Promise<string>;
  portForward(request: { podSandboxId: string; ports: readonly number[] }): Promise<string>;
}
