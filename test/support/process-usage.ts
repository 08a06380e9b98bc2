import * as fs from 'node:fs/promises'

/** What a process holds on to. */
export interface ProcessUsage {
  /** Resident bytes. */
  readonly memory: number
  readonly descriptors: number
}

export async function usageOfProcess(pid: number): Promise<ProcessUsage> {
  const status = await fs.readFile(`/proc/${pid}/status`, 'utf8')
  const memory = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024
  return { memory, descriptors: (await fs.readdir(`/proc/${pid}/fd`)).length }
}
