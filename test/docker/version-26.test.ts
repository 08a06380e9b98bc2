import { dockerOf } from '../support/docker-release.ts'
import { describeDockerVersion } from './describe-docker-version.ts'

describeDockerVersion('of Debian 13', {
  docker: () => dockerOf('trixie'),
  layers: 'kept',
  compose: true,
})
