import type { DockerState } from '../docker-state.ts'
import { type Finding, finding, type Probe } from '../finding.ts'

/** Docker's version, and which half of Stowage it can use. */
export const dockerProbe: Probe = {
  name: 'Docker',
  async run({ docker, settings }) {
    if ('reason' in docker) return [away(docker.reason)]
    const findings = docker.plugins.filter(isDisabled).map(disabled)
    if (!settings.implements.includes('graph')) return findings
    return [...findings, ...layers(docker)]
  },
}

function away(reason: string): Finding {
  return finding('docker-away', 'Docker', {
    explanation: `${reason}. What Docker thinks could not be compared`,
    advice:
      'If Docker should run, start it; if it listens elsewhere, set DOCKER_HOST',
  })
}

function isDisabled({ isEnabled }: { readonly isEnabled: boolean }): boolean {
  return !isEnabled
}

function disabled({ name }: { readonly name: string }): Finding {
  return finding('plugin-disabled', name, {
    explanation: `Plugin "${name}" is installed in Docker and disabled: its volumes cannot be used`,
    advice: `Run "docker plugin enable ${name}"; if that fails, dockerd's log says why`,
  })
}

/** Docker has removed graph-driver plugins in steps. */
function layers({ version, info, driverNames }: DockerState): Finding[] {
  if (driverNames.has(info.storageDriver)) return []
  const major = Number.parseInt(version.version, 10)
  if (major >= 28) {
    return [
      without(
        version.version,
        'Docker 28 has removed graph-driver plugins',
        'Use Stowage for volumes, and set STOWAGE_IMPLEMENTS=volume',
      ),
    ]
  }
  if (major === 27) return [needsVariable(version.version)]
  if (version.experimental) return []
  return [
    without(
      version.version,
      'it runs without --experimental, and so takes no graph-driver plugin',
      'To keep layers here, start it with --experimental --storage-driver stowage; for volumes nothing is missing',
    ),
  ]
}

function without(version: string, reason: string, advice: string): Finding {
  return finding('docker-without-layers', `Docker ${version}`, {
    explanation: `This Docker uses Stowage for volumes and not for layers: ${reason}`,
    advice,
  })
}

function needsVariable(version: string): Finding {
  return finding('docker-needs-variable', `Docker ${version}`, {
    explanation:
      'Docker 27 takes graph-driver plugins only where DOCKERD_DEPRECATED_GRAPHDRIVER_PLUGINS=1 is set for dockerd',
    advice:
      'Set it, or use Stowage for volumes alone: the next Docker has no layers on plugins',
  })
}
