import { dockerOf } from '../support/docker-release.ts'
import { describeDockerVersion } from './describe-docker-version.ts'

describeDockerVersion('of Debian unstable', {
  docker: () => dockerOf('sid'),
  layers: 'refused',
  compose: true,
  isOptional: true,
})
