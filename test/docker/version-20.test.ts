import { describeDockerVersion } from './describe-docker-version.ts'

describeDockerVersion('of this machine', { layers: 'kept', compose: false })
