import { existsSync } from 'node:fs';

/** Whether the running kernel has IPVS, as a module that is loaded or built in. */
export const hasIpvs = () => existsSync('/proc/net/ip_vs');
